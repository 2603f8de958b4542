// The contracts of one chain on an EVM, and how tests speak to them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Interface } from 'ethers/abi';
import { CHAIN_ID, evm } from './evm.mjs';
import { hex } from './scale.mjs';
import { BEGINNING, account } from './chain.mjs';

const artefact = (name) =>
	JSON.parse(readFileSync(new URL(`../../artefacts/${name}.json`, import.meta.url), 'utf8'));

export const ANCHOR = artefact('Anchor');
export const FLT = artefact('Flt');
export const VECTORS = artefact('Vectors');

const abi = (fragments) => new Interface(fragments);
const anchorAbi = abi(ANCHOR.abi);
const fltAbi = abi(FLT.abi);

export const DAY = 86_400;
export const UNIT = 10n ** 18n;
export const addressOf = (name) => hex(account(name).address);

/** Bytes become text, at whatever depth, since that is what the ABI's encoder takes. */
export function plain(value) {
	if (value instanceof Uint8Array) return hex(value);
	if (Array.isArray(value)) return value.map(plain);
	if (value !== null && typeof value === 'object') {
		return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
	}
	return value;
}

/** A call that was refused, with the error's name and what it says. */
export class Refused extends Error {
	constructor(name, args) {
		super(`${name}(${args.join(', ')})`);
		this.error = name;
		this.args = args;
	}
}

/** One contract. */
export class Contract {
	constructor(machine, face, address) {
		Object.assign(this, { machine, face, address });
	}

	async read(name, ...args) {
		return this.readAs('anybody', name, ...args);
	}

	async readAs(from, name, ...args) {
		const result = await this.machine.call(from, this.address, this.encode(name, args));
		if (!result.ok) throw refusal(result);
		const values = this.face.decodeFunctionResult(name, result.data);
		return values.length === 1 ? values[0] : values;
	}

	/** Sends a transaction. Answers gas and events, each with its bytes as Filecoin counts them: topics and data. */
	async send(from, name, ...args) {
		const result = await this.machine.send(from, this.address, this.encode(name, args));
		if (!result.ok) throw refusal(result);
		const events = result.logs
			.map((log) => [log, anchorAbi.parseLog(log) ?? fltAbi.parseLog(log)])
			.map(([{ topics, data }, { name, args }]) => {
				return { name, args, bytes: 32 * topics.length + data.length / 2 - 1 };
			});
		return { gas: result.gas, events };
	}

	encode(name, args) {
		return this.face.encodeFunctionData(name, plain(args));
	}
}

function refusal({ data, problem }) {
	const parsed = data === '0x' ? null : (anchorAbi.parseError(data) ?? fltAbi.parseError(data));
	return parsed ? new Refused(parsed.name, [...parsed.args]) : new Error(`failed without an error: ${problem} ${data}`);
}

/** Fails unless a call is refused with this error and these values. */
export async function refused(call, name, ...values) {
	await assert.rejects(call, (error) => {
		if (!(error instanceof Refused)) throw error;
		assert.equal(error.error, name, error.message);
		const given = error.args.map((value) => (typeof value === 'string' ? value.toLowerCase() : value));
		values.forEach((value, i) => {
			if (value === undefined) return;
			const wanted = plain(value);
			const same = typeof wanted === 'string' ? wanted.toLowerCase() : BigInt(wanted);
			assert.equal(given[i], same, `value ${i} of ${error.message}`);
		});
		return true;
	});
}

export const SETTINGS = {
	staleAfter: 14 * DAY,
	recoveryDelay: 7 * DAY,
	outflowCap: 1_000n * UNIT,
	outflowPeriod: DAY,
	minDeposit: UNIT / 100n,
	forceFee: UNIT,
	maxForcedBytes: 4096,
	guardians: ['guardian 0', 'guardian 1', 'guardian 2'].map(addressOf),
	guardianThreshold: 2,
};

/** Deploys bytecode with its constructor's arguments. */
export async function deployRaw(machine, made, args = []) {
	const face = abi(made.abi);
	const code = made.bytecode + face.encodeDeploy(plain(args)).slice(2);
	const result = await machine.send('deployer', undefined, code);
	if (!result.ok) throw refusal(result);
	return { contract: new Contract(machine, face, result.created), gas: result.gas };
}

/** The contracts of a chain, from its sets 0 and 1 on. */
export async function deploy(chain, settings = {}) {
	const machine = await evm();
	const { contract, gas } = await deployRaw(machine, ANCHOR, [
		{
			genesisHash: chain.genesis,
			blockNumber: 0,
			current: chain.set(0),
			next: chain.set(1),
			currentSince: BEGINNING,
			...SETTINGS,
			...settings,
		},
	]);
	const flt = new Contract(machine, fltAbi, await contract.read('flt'));
	return new Anchor(machine, chain, contract, flt, gas);
}

export const NO_HANDOVER = { leaf: '0x', proof: { leafIndex: 0, leafCount: 0, items: [] } };

export class Anchor {
	constructor(machine, chain, contract, flt, deployGas) {
		Object.assign(this, { machine, chain, contract, flt, deployGas });
		/** What messages of this anchor begin with, but for kind and nonce. */
		this.place = { genesis: chain.genesis, chainId: CHAIN_ID, anchor: contract.address };
	}

	/** Submits a commitment as it is. */
	submit(signed, handover = NO_HANDOVER) {
		const { commitment, authorities, bitmap, signatures } = signed;
		return this.contract.send('relayer', 'submit', commitment, authorities, bitmap, signatures, handover);
	}

	/** Submits a checkpoint of the chain's last block, with a handover where a session began since. */
	async checkpoint(options = {}) {
		const number = this.chain.number;
		const { setId } = await this.status();
		const handover = BigInt(this.chain.setId) === setId ? NO_HANDOVER : this.chain.leafProof(number);
		return this.submit(this.chain.commit(number, options), handover);
	}

	/** Withdraws the `index`th message of a block, which must be this withdrawal. */
	withdraw(withdrawal, blockNumber, index, rootBlock = this.chain.number) {
		const { path, leaf, proof } = this.chain.messageProof(blockNumber, index, rootBlock);
		return this.contract.send('anybody', 'withdraw', withdrawal, path, leaf, proof, rootBlock);
	}

	status() {
		return this.contract.read('status');
	}
}
