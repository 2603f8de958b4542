// Two EVMs behind one face: one in this process, which starts at once, and anvil, which others use. `ANVIL=<url>` takes the
// second. Both follow the rules of Prague and have chain id 31337.

import { createBlock } from '@ethereumjs/block';
import { createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common';
import { SimpleStateManager } from '@ethereumjs/statemanager';
import { createLegacyTx } from '@ethereumjs/tx';
import { bytesToHex, createAddressFromString, hexToBytes } from '@ethereumjs/util';
import { createVM, runTx } from '@ethereumjs/vm';
import { BEGINNING, account } from './chain.mjs';
import { hex } from './scale.mjs';

export const CHAIN_ID = 31337;
const GAS_LIMIT = 30_000_000n;

/** The EVM that tests use. */
export function evm() {
	return process.env.ANVIL ? Anvil.start(process.env.ANVIL) : Embedded.start();
}

class Embedded {
	static async start() {
		const self = new Embedded();
		self.common = createCustomCommon({ chainId: CHAIN_ID }, Mainnet, { hardfork: Hardfork.Prague });
		// Keeps accounts in maps. Nobody asks for a state root, which would take longer than all the rest.
		const stateManager = new SimpleStateManager({ common: self.common });
		self.vm = await createVM({ common: self.common, stateManager });
		self.number = 0n;
		self.time = BigInt(BEGINNING);
		return self;
	}

	#block() {
		return createBlock(
			{ header: { number: this.number, timestamp: this.time, gasLimit: GAS_LIMIT * 2n, baseFeePerGas: 7n } },
			{ common: this.common },
		);
	}

	/** Sends a transaction, which makes a block. */
	async send(from, to, data) {
		this.number++;
		this.time++;
		return this.#run(from, to, data);
	}

	/** A call of which nothing comes. Not as a transaction, which would take several times as long. */
	async call(from, to, data) {
		await this.vm.stateManager.checkpoint();
		try {
			const { execResult } = await this.vm.evm.runCall({
				caller: createAddressFromString(hex(account(from).address)),
				to: createAddressFromString(to),
				data: hexToBytes(data),
				gasLimit: GAS_LIMIT,
				block: this.#block(),
			});
			const { exceptionError, returnValue } = execResult;
			return {
				ok: exceptionError === undefined,
				problem: exceptionError?.error,
				data: bytesToHex(returnValue),
			};
		} finally {
			await this.vm.stateManager.revert();
		}
	}

	async #run(from, to, data) {
		const tx = createLegacyTx(
			{ to: to && createAddressFromString(to), data: hexToBytes(data), gasLimit: GAS_LIMIT, gasPrice: 7n },
			{ common: this.common, freeze: false },
		);
		// As if it were signed, which would take longer than many calls.
		const sender = createAddressFromString(hex(account(from).address));
		tx.isSigned = () => true;
		tx.getSenderAddress = () => sender;
		const result = await runTx(this.vm, {
			tx,
			block: this.#block(),
			skipBalance: true,
			skipNonce: true,
		});
		const { exceptionError, returnValue, logs = [] } = result.execResult;
		return {
			ok: exceptionError === undefined,
			problem: exceptionError?.error,
			data: bytesToHex(returnValue),
			gas: Number(result.totalGasSpent),
			created: result.createdAddress?.toString(),
			logs: logs.map(([address, topics, body]) => ({
				address: bytesToHex(address),
				topics: topics.map((topic) => bytesToHex(topic)),
				data: bytesToHex(body),
			})),
		};
	}

	/** Lets time go by. */
	async advance(seconds) {
		this.time += BigInt(seconds);
	}

	async code(address) {
		return bytesToHex(await this.vm.stateManager.getCode(createAddressFromString(address)));
	}

	async close() {}
}

class Anvil {
	static async start(url) {
		const self = new Anvil();
		self.url = url;
		self.unlocked = new Set();
		await self.#rpc('anvil_reset', []);
		await self.#rpc('anvil_setTime', [BEGINNING]);
		return self;
	}

	async #rpc(method, params) {
		const response = await fetch(this.url, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
		});
		const { result, error } = await response.json();
		if (error) throw Object.assign(new Error(`${method}: ${error.message}`), { data: error.data });
		return result;
	}

	async #from(name) {
		const address = hex(account(name).address);
		if (!this.unlocked.has(address)) {
			await this.#rpc('anvil_impersonateAccount', [address]);
			await this.#rpc('anvil_setBalance', [address, '0x56bc75e2d63100000']);
			this.unlocked.add(address);
		}
		return address;
	}

	async send(name, to, data) {
		const from = await this.#from(name);
		const gas = `0x${GAS_LIMIT.toString(16)}`;
		const reason = await this.call(name, to, data);
		const hash = await this.#rpc('eth_sendTransaction', [{ from, to, data, gas }]);
		let receipt = null;
		while (receipt === null) receipt = await this.#rpc('eth_getTransactionReceipt', [hash]);
		return {
			ok: receipt.status === '0x1',
			data: reason.data,
			problem: reason.problem,
			gas: Number(receipt.gasUsed),
			created: receipt.contractAddress ?? undefined,
			logs: receipt.logs,
		};
	}

	async call(name, to, data) {
		const from = await this.#from(name);
		try {
			const gas = `0x${GAS_LIMIT.toString(16)}`;
			return { ok: true, data: await this.#rpc('eth_call', [{ from, to, data, gas }, 'latest']) };
		} catch (error) {
			if (error.data === undefined) throw error;
			return { ok: false, problem: 'revert', data: error.data };
		}
	}

	async advance(seconds) {
		await this.#rpc('evm_increaseTime', [seconds]);
		await this.#rpc('evm_mine', []);
	}

	async code(address) {
		return this.#rpc('eth_getCode', [address, 'latest']);
	}

	async close() {}
}
