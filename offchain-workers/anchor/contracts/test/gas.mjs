// Measures the gas of what is called often, with the ring of roots lapped, and compares it with the bars.
//
// node test/gas.mjs

import { Chain, withdrawal } from './lib/chain.mjs';
import { UNIT, addressOf, deploy } from './lib/anchor.mjs';

const BARS = { 7: 95_000, 100: 475_000, 256: 1_120_000 };
const RING = 1024;
// Most bytes of a message on Filecoin.
const MAX_BYTES = 65_536;

/** Gas of each call, by what it is. */
export async function measure() {
	const sizes = [1, ...Object.keys(BARS).map(Number)];
	const chain = new Chain({ name: 'gas', sizes });
	const anchor = await deploy(chain);
	const rows = [['deployment', anchor.deployGas]];
	for (let i = 0; i <= RING; i++) {
		chain.author();
		await anchor.checkpoint();
	}
	for (const size of sizes.slice(1)) {
		chain.author({ rotate: true });
		const name = `${size} validators`;
		rows.push([`checkpoint with handover, ${name}`, (await anchor.checkpoint()).gas]);
		const all = [];
		// The slot of block numbers is shared by eight checkpoints, and zero bytes in roots are cheap: the worst of some.
		for (let i = 0; i < 10; i++) {
			chain.author();
			all.push((await anchor.checkpoint()).gas);
		}
		const signed = chain.commit();
		const { commitment, authorities, bitmap, signatures } = signed;
		const empty = { leaf: '0x', proof: { leafIndex: 0, leafCount: 0, items: [] } };
		const data = anchor.contract.encode('submit', [commitment, authorities, bitmap, signatures, empty]);
		rows.push([`checkpoint, ${name}`, Math.max(...all), { bar: BARS[size], bytes: data.length / 2 - 1 }]);
	}

	const alice = addressOf('alice');
	const drawn = { nonce: 0, recipient: alice, amount: 10n * UNIT };
	const others = Array.from({ length: 7 }, (_, i) => ({ ...drawn, nonce: i + 1 }));
	const sent = chain.author({ messages: [drawn, ...others].map((w) => withdrawal(anchor.place, w)) });
	chain.author();
	await anchor.checkpoint();
	const { path, leaf, proof } = chain.messageProof(sent, 0);
	const taken = await anchor.contract.send('anybody', 'withdraw', drawn, path, leaf, proof, chain.number);
	rows.push([`withdrawal, one of 8 messages, ${chain.number} blocks`, taken.gas]);
	const id = taken.events[0].args.id;
	rows.push(['claim', (await anchor.contract.send('alice', 'claim', alice, [id])).gas]);
	const account = new Uint8Array(32).fill(7);
	rows.push(['deposit', (await anchor.contract.send('alice', 'deposit', account, UNIT)).gas]);
	const kibibyte = new Uint8Array(1024).fill(7);
	rows.push(['forced message of 1 KiB', (await anchor.contract.send('alice', 'forceInclude', kibibyte)).gas]);
	return rows;
}

if (import.meta.url === `file://${process.argv[1]}`) {
	let over = false;
	for (const [name, gas, { bar, bytes } = {}] of await measure()) {
		const beyond = bar !== undefined && (gas > bar || bytes >= MAX_BYTES);
		over ||= beyond;
		const limits = bar === undefined ? '' : ` of ${bar}, ${bytes} bytes of call data${beyond ? ' TOO MUCH' : ''}`;
		console.log(`${name}: ${gas}${limits}`);
	}
	process.exit(over ? 1 : 0);
}
