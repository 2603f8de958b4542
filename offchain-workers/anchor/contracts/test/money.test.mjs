// FLT both ways: withdrawals and their proofs, the limit of outflow, deposits, forced messages, and the token.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chain, accumulator, deposit, forced, message, withdrawal } from './lib/chain.mjs';
import { ANCHOR, DAY, SETTINGS, UNIT, addressOf, deploy, refused } from './lib/anchor.mjs';
import { concat, hex, keccak } from './lib/scale.mjs';

const [alice, bob] = ['alice', 'bob'].map(addressOf);
const account = keccak([7]);

async function start(settings) {
	const chain = new Chain({ name: 'money', sizes: [4] });
	const anchor = await deploy(chain, settings);
	return { chain, anchor };
}

/** Puts messages into a block, and that block behind a checkpoint. */
async function send(anchor, messages) {
	const block = anchor.chain.author({ messages });
	anchor.chain.author();
	await anchor.checkpoint();
	return block;
}

/** Withdraws an amount for somebody by name, all the way to a balance. */
async function fund(anchor, who, amount, nonce = 1_000_000) {
	const drawn = { nonce, recipient: addressOf(who), amount };
	const block = await send(anchor, [withdrawal(anchor.place, drawn)]);
	const { events } = await anchor.withdraw(drawn, block, 0);
	await anchor.contract.send(who, 'claim', addressOf(who), [events[0].args.id]);
}

const claim = (anchor, who, to, ids) => anchor.contract.send(who, 'claim', to, ids);

test('withdrawals are proven in any order, by any later root, and claimed to any address', async () => {
	const { chain, anchor } = await start();
	const drawn = [5, 3, 9].map((nonce, i) => ({ nonce, recipient: alice, amount: BigInt(i + 1) * UNIT }));
	const block = await send(anchor, drawn.map((w) => withdrawal(anchor.place, w)));
	const rootBlock = chain.number;
	for (let i = 0; i < 20; i++) chain.author();
	await anchor.checkpoint();
	const ids = [];
	for (const i of [2, 0, 1]) {
		const { events } = await anchor.withdraw(drawn[i], block, i, i === 0 ? rootBlock : chain.number);
		assert.deepEqual(events.map(({ name }) => name), ['Withdrawn']);
		const { nonce, recipient, id, amount } = events[0].args;
		assert.deepEqual([nonce, recipient.toLowerCase(), amount], [BigInt(drawn[i].nonce), alice, drawn[i].amount]);
		assert.equal(id, hex(keccak(withdrawal(anchor.place, drawn[i]))));
		ids.push(id);
	}
	assert.equal(await anchor.flt.read('totalSupply'), 0n);
	await claim(anchor, 'alice', bob, ids.slice(0, 2));
	await claim(anchor, 'alice', alice, ids.slice(2));
	assert.equal(await anchor.flt.read('balanceOf', bob), 4n * UNIT);
	assert.equal(await anchor.flt.read('balanceOf', alice), 2n * UNIT);
	assert.equal(await anchor.flt.read('totalSupply'), 6n * UNIT);
});

test('a withdrawal counts once', async () => {
	const { anchor } = await start();
	const drawn = { nonce: 0, recipient: alice, amount: UNIT };
	const block = await send(anchor, [withdrawal(anchor.place, drawn)]);
	const { id } = (await anchor.withdraw(drawn, block, 0)).events[0].args;
	await refused(anchor.withdraw(drawn, block, 0), 'AlreadyWithdrawn', id);
	await claim(anchor, 'alice', alice, [id]);
	await refused(anchor.withdraw(drawn, block, 0), 'AlreadyWithdrawn', id);
	await refused(claim(anchor, 'alice', alice, [id]), 'NothingToClaim', id);
	await refused(claim(anchor, 'bob', bob, [keccak([1])]), 'NothingToClaim', keccak([1]));
});

test('a claim names nothing twice, and nothing of others', async () => {
	const { anchor } = await start();
	const drawn = [alice, bob].map((recipient, nonce) => ({ nonce, recipient, amount: UNIT }));
	const block = await send(anchor, drawn.map((w) => withdrawal(anchor.place, w)));
	const ids = [];
	for (const i of [0, 1]) ids.push((await anchor.withdraw(drawn[i], block, i)).events[0].args.id);
	await refused(claim(anchor, 'alice', alice, [ids[0], ids[0]]), 'NothingToClaim', ids[0]);
	await refused(claim(anchor, 'alice', alice, ids), 'NotRecipient', bob, alice);
	await refused(claim(anchor, 'alice', hex(new Uint8Array(20)), [ids[0]]), 'ZeroRecipient');
	assert.equal(await anchor.flt.read('totalSupply'), 0n);
});

test('what the chain did not send is refused', async () => {
	const { chain, anchor } = await start();
	const drawn = { nonce: 0, recipient: alice, amount: UNIT };
	const genesis = keccak([1]);
	const raw = (place, changed = {}) => withdrawal({ ...anchor.place, ...place }, { ...drawn, ...changed });
	const block = await send(anchor, [
		raw(),
		raw({ genesis }, { nonce: 1 }),
		raw({ chainId: 314 }, { nonce: 2 }),
		raw({ anchor: alice }, { nonce: 3 }),
		// A deposit is none of the chain's messages, though the bytes that follow its header might be read so.
		deposit(anchor.place, { nonce: 4, sender: alice, recipient: account, amount: UNIT }),
	]);
	const root = keccak([2]);
	const no = (withdrawn, index, rootBlock) => anchor.withdraw({ ...drawn, ...withdrawn }, block, index, rootBlock);
	await refused(no({ amount: 2n * UNIT }, 0), 'MessageNotProven');
	await refused(no({ recipient: bob }, 0), 'MessageNotProven');
	await refused(no({ nonce: 1 }, 0), 'MessageNotProven');
	for (const nonce of [1, 2, 3, 4]) await refused(no({ nonce }, nonce), 'MessageNotProven');
	await refused(no({}, 1), 'MessageNotProven');
	await refused(no({}, 0, 1), 'UnknownRoot', 2, 2, 1);
	const { path, leaf, proof } = chain.messageProof(block, 0);
	const withdraw = (...rest) => anchor.contract.send('anybody', 'withdraw', drawn, ...rest, chain.number);
	const forged = Uint8Array.from(leaf);
	forged.set(root, 81);
	await refused(withdraw(path, forged, proof), 'LeafNotProven', chain.range.root());
	await refused(withdraw(path, chain.leaves[0], chain.range.proof(0)), 'MessageNotProven', new Uint8Array(32));
	await refused(withdraw({ ...path, index: 5 }, leaf, proof), 'MessageIndex', 5, 5);
	await refused(withdraw({ ...path, items: path.items.slice(1) }, leaf, proof), 'MessageProofLength', 3, 2);
	await withdraw(path, leaf, proof);
});

test('a node of a tree of messages is no message', async () => {
	const { chain, anchor } = await start();
	// Who could send 64 bytes of his own would have a leaf that is a node over whatever he likes.
	const drawn = { nonce: 0, recipient: alice, amount: UNIT };
	const sibling = keccak([1]);
	const node = concat(keccak(withdrawal(anchor.place, drawn)), sibling);
	const sent = message(anchor.place, { nonce: 0, sender: account, target: bob, data: node });
	assert.ok(sent.length > 64, 'no message has 64 bytes, since its header has 69');
	const block = await send(anchor, [sent]);
	const { leaf, proof } = chain.messageProof(block, 0);
	const deeper = { index: 0, count: 2, items: [sibling] };
	const forged = anchor.contract.send('anybody', 'withdraw', drawn, deeper, leaf, proof, chain.number);
	await refused(forged, 'MessageNotProven', keccak(sent), keccak(node));
});

test('no more than the cap flows out in a period, and it comes back evenly', async () => {
	const { anchor } = await start({ outflowCap: 100n * UNIT, outflowPeriod: 1000 });
	const drawn = [60n, 250n].map((amount, nonce) => ({ nonce, recipient: alice, amount: amount * UNIT }));
	const block = await send(anchor, drawn.map((w) => withdrawal(anchor.place, w)));
	const ids = [];
	for (const i of [0, 1]) ids.push((await anchor.withdraw(drawn[i], block, i)).events[0].args.id);

	const first = await claim(anchor, 'alice', alice, ids);
	const claimed = first.events.filter(({ name }) => name === 'Claimed').map(({ args }) => [args.amount, args.left]);
	assert.deepEqual(claimed, [[60n * UNIT, 0n], [40n * UNIT, 210n * UNIT]]);
	assert.equal(await anchor.flt.read('balanceOf', alice), 100n * UNIT);

	await anchor.machine.advance(499);
	const before = await anchor.flt.read('balanceOf', alice);
	await claim(anchor, 'alice', alice, [ids[1]]);
	const gained = (await anchor.flt.read('balanceOf', alice)) - before;
	assert.ok(gained >= 49n * UNIT && gained <= 51n * UNIT, `${gained}`);
	await anchor.machine.advance(100_000);
	assert.equal(await anchor.contract.read('outflowAvailable'), 100n * UNIT);
	await claim(anchor, 'alice', alice, [ids[1]]);
	assert.equal(await anchor.flt.read('balanceOf', alice), before + gained + 100n * UNIT);
});

test('a claim when nothing is left of the cap says when it comes back', async () => {
	// So slow that nothing comes back from one block to the next.
	const { anchor } = await start({ outflowCap: 10n, outflowPeriod: 1_000_000 });
	const drawn = { nonce: 0, recipient: alice, amount: 11n };
	const block = await send(anchor, [withdrawal(anchor.place, drawn)]);
	const { id } = (await anchor.withdraw(drawn, block, 0)).events[0].args;
	await claim(anchor, 'alice', alice, [id]);
	await refused(claim(anchor, 'alice', alice, [id]), 'OutflowExhausted', 10n, 1_000_000);
});

test('many small claims flow out no faster than one', async () => {
	const { anchor } = await start({ outflowCap: 1000n, outflowPeriod: 1000 });
	const drawn = { nonce: 0, recipient: alice, amount: 10_000n };
	const block = await send(anchor, [withdrawal(anchor.place, drawn)]);
	const { id } = (await anchor.withdraw(drawn, block, 0)).events[0].args;
	await claim(anchor, 'alice', alice, [id]);
	let seconds = 0;
	for (let i = 0; i < 20; i++) {
		await anchor.machine.advance(10);
		await claim(anchor, 'alice', alice, [id]);
		seconds += 10 + 2;
	}
	const out = await anchor.flt.read('balanceOf', alice);
	assert.ok(out >= 1200n && out <= BigInt(1000 + seconds), `${out}`);
});

test('a contract here can verify a message and its id', async () => {
	const { chain, anchor } = await start();
	const sent = message(anchor.place, { nonce: 0, sender: account, target: bob, data: concat([1, 2, 3]) });
	const foreign = message({ ...anchor.place, chainId: 314 }, { nonce: 1, sender: account, target: bob, data: [1] });
	const block = await send(anchor, [sent, foreign]);
	const verify = (raw, index) => {
		const { path, leaf, proof } = chain.messageProof(block, index);
		return anchor.contract.read('verifyMessage', raw, path, leaf, proof, chain.number);
	};
	assert.equal(await verify(sent, 0), hex(keccak(sent)));
	await refused(verify(sent, 1), 'MessageNotProven');
	await refused(verify(foreign, 1), 'ForeignMessage');
	await refused(verify(sent.slice(0, 68), 0), 'ForeignMessage');
	await refused(verify(concat(sent, [0]), 0), 'MessageNotProven');
});

test('a deposit burns FLT and goes into the accumulator', async () => {
	const { anchor } = await start();
	await fund(anchor, 'alice', 10n * UNIT);
	const sent = [];
	for (const amount of [UNIT, 2n * UNIT]) {
		const raw = deposit(anchor.place, { nonce: sent.length, sender: alice, recipient: account, amount });
		sent.push(raw);
		const { events } = await anchor.contract.send('alice', 'deposit', account, amount);
		const { args } = events.find(({ name }) => name === 'Enqueued');
		assert.equal(args.message, hex(raw));
		assert.equal(args.acc, hex(accumulator(sent)));
	}
	const { nonce, acc } = await anchor.status();
	assert.deepEqual([nonce, acc], [2n, hex(accumulator(sent))]);
	// Each number of messages has an accumulator that can be attested.
	for (let i = 0; i <= 2; i++) {
		assert.equal(await anchor.contract.read('accumulatorAt', i), hex(accumulator(sent.slice(0, i))));
	}
	assert.equal(await anchor.flt.read('balanceOf', alice), 7n * UNIT);
	assert.equal(await anchor.flt.read('totalSupply'), 7n * UNIT);
});

test('a deposit must be had, large enough and for somebody', async () => {
	const { anchor } = await start();
	await fund(anchor, 'alice', UNIT);
	const { minDeposit } = SETTINGS;
	const make = (to, amount) => anchor.contract.send('alice', 'deposit', to, amount);
	await refused(make(account, minDeposit - 1n), 'DepositTooSmall', minDeposit, minDeposit - 1n);
	await refused(make(account, 2n * UNIT), 'ERC20InsufficientBalance', alice, UNIT, 2n * UNIT);
	await refused(make(new Uint8Array(32), UNIT), 'ZeroRecipient');
	await make(account, minDeposit);
	await anchor.machine.advance(14 * DAY + 60);
	await refused(make(account, minDeposit), 'ClientStale');
});

test('a forced message is bounded and pays its fee', async () => {
	const { anchor } = await start();
	await fund(anchor, 'alice', 2n * UNIT);
	const { maxForcedBytes, forceFee } = SETTINGS;
	const force = (who, data) => anchor.contract.send(who, 'forceInclude', data);
	await refused(force('alice', '0x'), 'ForcedLength', maxForcedBytes, 0);
	await refused(force('alice', new Uint8Array(maxForcedBytes + 1)), 'ForcedLength', maxForcedBytes, maxForcedBytes + 1);
	await refused(force('bob', '0x00'), 'ERC20InsufficientBalance', bob, 0, forceFee);
	const data = new Uint8Array(maxForcedBytes).fill(7);
	const { events } = await force('alice', data);
	const raw = forced(anchor.place, { nonce: 0, sender: alice, fee: forceFee, data });
	assert.equal(events.find(({ name }) => name === 'Enqueued').args.message, hex(raw));
	assert.equal((await anchor.status()).acc, hex(accumulator([raw])));
	assert.equal(await anchor.flt.read('balanceOf', alice), 2n * UNIT - forceFee);
});

test('the token moves as ERC-20 asks for, and only the vault makes and destroys it', async () => {
	const { anchor } = await start();
	const { flt } = anchor;
	await fund(anchor, 'alice', 10n * UNIT);
	const zero = hex(new Uint8Array(20));
	assert.deepEqual([await flt.read('symbol'), await flt.read('decimals')], ['FLT', 18n]);
	assert.equal((await flt.read('vault')).toLowerCase(), anchor.contract.address.toLowerCase());
	await refused(flt.send('alice', 'mint', alice, 1), 'NotVault', anchor.contract.address, alice);
	await refused(flt.send('alice', 'burn', alice, 1), 'NotVault', anchor.contract.address, alice);

	await flt.send('alice', 'transfer', bob, UNIT);
	await refused(flt.send('alice', 'transfer', zero, UNIT), 'ERC20InvalidReceiver', zero);
	await refused(flt.send('bob', 'transfer', alice, 2n * UNIT), 'ERC20InsufficientBalance', bob, UNIT, 2n * UNIT);
	await refused(flt.send('bob', 'transferFrom', alice, bob, 1), 'ERC20InsufficientAllowance', bob, 0, 1);
	await flt.send('alice', 'approve', bob, 2n * UNIT);
	await flt.send('bob', 'transferFrom', alice, bob, UNIT);
	assert.equal(await flt.read('allowance', alice, bob), UNIT);
	await refused(flt.send('alice', 'approve', zero, 1), 'ERC20InvalidSpender', zero);
	await flt.send('alice', 'approve', bob, 2n ** 256n - 1n);
	await flt.send('bob', 'transferFrom', alice, alice, UNIT);
	assert.equal(await flt.read('allowance', alice, bob), 2n ** 256n - 1n);
	assert.equal(await flt.read('balanceOf', alice), 8n * UNIT);
	assert.equal(await flt.read('balanceOf', bob), 2n * UNIT);
	assert.equal(await flt.read('totalSupply'), 10n * UNIT);
});

test('nothing in the contract takes coins of the anchor, nor gives power to one account', () => {
	assert.ok(ANCHOR.abi.every(({ stateMutability }) => stateMutability !== 'payable'));
	const writes = ANCHOR.abi.filter(({ stateMutability }) => stateMutability === 'nonpayable').map(({ name }) => name);
	const expected = ['claim', 'deposit', 'forceInclude', 'recover', 'reportDoubleSign', 'submit', 'withdraw'];
	assert.deepEqual(writes.filter(Boolean).sort(), expected);
});
