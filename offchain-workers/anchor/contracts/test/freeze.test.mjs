// Forks: who is recorded, when the client freezes, and how guardians set it going again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chain, withdrawal } from './lib/chain.mjs';
import { DAY, NO_HANDOVER, UNIT, addressOf, deploy, refused } from './lib/anchor.mjs';
import { hex, keccak } from './lib/scale.mjs';

const everybody = (count, from = 0) => Array.from({ length: count - from }, (_, i) => i + from);

/** A chain of seven validators with three checkpoints, and its anchor. */
async function start(settings) {
	const chain = new Chain({ name: 'fork', sizes: [7] });
	const anchor = await deploy(chain, settings);
	for (let i = 0; i < 3; i++) {
		chain.author();
		await anchor.checkpoint();
	}
	return { chain, anchor };
}

/** Two commitments for one block with other roots, signed by these. */
function fork(chain, { block = chain.number, setId = chain.setId, first, second } = {}) {
	return [
		chain.commit(block, { setId, signers: first }),
		chain.commit(block, { setId, signers: second, root: keccak([1]) }),
	];
}

function report(anchor, [first, second], authorities = first.authorities) {
	const part = ({ commitment, bitmap, signatures }) => ({ commitment, bitmap, signatures });
	return anchor.contract.send('watcher', 'reportDoubleSign', part(first), part(second), authorities);
}

/** A frozen client. */
async function frozen(settings) {
	const { chain, anchor } = await start(settings);
	await report(anchor, fork(chain));
	return { chain, anchor };
}

const recover = (anchor, who, recovery) => anchor.contract.send(who, 'recover', recovery);

test('one authority that signs two commitments for a block is recorded, and freezes nothing', async () => {
	const { chain, anchor } = await start();
	const { events } = await report(anchor, fork(chain, { first: [0, 3], second: [2, 3] }));
	assert.deepEqual(events.map(({ name }) => name), ['DoubleSigned', 'Signed', 'Signed']);
	assert.deepEqual([events[0].args.setId, events[0].args.blockNumber], [0n, 3n]);
	assert.equal(events[0].args.authority.toLowerCase(), hex(chain.members(0)[3].address));
	assert.equal((await anchor.status()).frozen, false);
});

test('a quorum against less than a quorum freezes nothing', async () => {
	const { chain, anchor } = await start();
	const { events } = await report(anchor, fork(chain, { first: everybody(7), second: everybody(7, 3) }));
	assert.deepEqual(events.map(({ name }) => name), [...new Array(4).fill('DoubleSigned'), 'Signed', 'Signed']);
	assert.equal((await anchor.status()).frozen, false);
});

test('two quorums for one block freeze the client: a third of the set has signed both', async () => {
	const { chain, anchor } = await start();
	const { events } = await report(anchor, fork(chain, { first: everybody(5), second: everybody(7, 2) }));
	const names = [...new Array(3).fill('DoubleSigned'), 'Signed', 'Signed'];
	assert.deepEqual(events.map(({ name }) => name), [...names, 'Frozen']);
	assert.equal((await anchor.status()).frozen, true);
	// A second report adds names and signatures only.
	const again = await report(anchor, fork(chain, { block: 2 }));
	assert.ok(again.events.every(({ name }) => ['DoubleSigned', 'Signed'].includes(name)));
});

test('a frozen client takes no checkpoint, pays nothing and takes no deposit', async () => {
	const { chain, anchor } = await start();
	const alice = addressOf('alice');
	const drawn = { nonce: 0, recipient: alice, amount: 10n * UNIT };
	const late = { ...drawn, nonce: 1 };
	const block = chain.author({ messages: [drawn, late].map((w) => withdrawal(anchor.place, w)) });
	chain.author();
	await anchor.checkpoint();
	const { events } = await anchor.withdraw(drawn, block, 0);
	const { id } = events[0].args;
	await anchor.contract.send('alice', 'claim', alice, [id]);
	await report(anchor, fork(chain));

	chain.author();
	await refused(anchor.checkpoint(), 'ClientFrozen');
	await refused(anchor.withdraw(late, block, 1, 5), 'ClientFrozen');
	await refused(anchor.contract.send('alice', 'claim', alice, [id]), 'ClientFrozen');
	const account = keccak([7]);
	await refused(anchor.contract.send('alice', 'deposit', account, UNIT), 'ClientFrozen');
	await refused(anchor.contract.send('alice', 'forceInclude', '0x00'), 'ClientFrozen');
	assert.equal(await anchor.flt.read('balanceOf', alice), 10n * UNIT);
	// What is out stays with its owners.
	await anchor.flt.send('alice', 'transfer', addressOf('bob'), UNIT);
});

test('what proves nothing is refused', async () => {
	const { chain, anchor } = await start();
	const [first, second] = fork(chain);
	await refused(report(anchor, [first, first]), 'SameCommitment', keccak(first.commitment));
	await refused(report(anchor, [first, chain.commit(2)]), 'DifferentBlocks', 3, 2);
	await refused(report(anchor, [first, chain.commit(3, { setId: 1 })]), 'DifferentSets', 0, 1);
	await refused(report(anchor, fork(chain, { first: [0, 1], second: [2, 3] })), 'NoDoubleSigner');
	const foreign = chain.commit(3, { genesis: keccak([2]) });
	await refused(report(anchor, [first, foreign]), 'WrongChain', chain.genesis, keccak([2]));
	await refused(report(anchor, [foreign, second]), 'WrongChain', chain.genesis, keccak([2]));
	await refused(report(anchor, fork(chain, { setId: 2 })), 'UnknownSet', 0, 1, 2);
	const forged = { ...second, signatures: [...second.signatures.slice(0, 4), second.signatures[0]] };
	await refused(report(anchor, [first, forged]), 'DuplicateSigner', 4, second.authorities[0], 0);
	await refused(report(anchor, [first, { ...second, signatures: first.signatures }]), 'WrongSigner', 0);
	await refused(report(anchor, [first, second], chain.commit(3, { setId: 1 }).authorities), 'AuthorityRoot');
	assert.equal((await anchor.status()).frozen, false);
});

test('the set before, the current one and the next can be reported, an older one cannot', async () => {
	const { chain, anchor } = await start();
	for (let i = 0; i < 2; i++) {
		chain.author({ rotate: true });
		await anchor.checkpoint();
	}
	for (const setId of [1, 2, 3]) {
		const { events } = await report(anchor, fork(chain, { setId, first: [1], second: [1] }));
		assert.equal(events[0].args.setId, BigInt(setId));
	}
	await refused(report(anchor, fork(chain, { setId: 0 })), 'UnknownSet', 1, 3, 0);
});

test('guardians can do nothing while the client works', async () => {
	const { chain, anchor } = await start();
	const recovery = { blockNumber: 3, current: chain.set(5), next: chain.set(6) };
	await refused(recover(anchor, 'guardian 0', recovery), 'NotRecoverable', await anchor.contract.read('staleSince'));
	await anchor.machine.advance(14 * DAY + 1);
	await recover(anchor, 'guardian 0', recovery);
});

test('a quorum of guardians sets the client going from other sets, after the delay', async () => {
	const { chain, anchor } = await frozen();
	const recovery = { blockNumber: 3, current: chain.set(5), next: chain.set(6) };
	await refused(recover(anchor, 'alice', recovery), 'NotGuardian', addressOf('alice'));
	await recover(anchor, 'guardian 0', recovery);
	await refused(recover(anchor, 'guardian 0', recovery), 'AlreadyAgreed', addressOf('guardian 0'));
	const { events } = await recover(anchor, 'guardian 2', recovery);
	assert.deepEqual(events.map(({ name }) => name), ['RecoveryVote', 'RecoveryAgreed']);
	const { readyAt } = events[1].args;
	await refused(recover(anchor, 'alice', recovery), 'RecoveryPending', readyAt);
	await refused(recover(anchor, 'guardian 1', recovery), 'RecoveryPending', readyAt);
	await anchor.machine.advance(7 * DAY - 60);
	await refused(recover(anchor, 'alice', recovery), 'RecoveryPending', readyAt);
	await anchor.machine.advance(60);
	// Anybody puts it in force.
	await recover(anchor, 'alice', recovery);

	const status = await anchor.status();
	assert.deepEqual([status.frozen, status.setId, status.latestBlock], [false, 5n, 3n]);
	assert.equal(status.root, hex(new Uint8Array(32)));
	await refused(anchor.contract.read('rootAt', 3), 'UnknownRoot', 0, 3, 3);
	chain.setId = 5;
	chain.author();
	await anchor.checkpoint();
	assert.equal(await anchor.contract.read('rootAt', 4), hex(chain.range.root()));
	await refused(anchor.contract.read('rootAt', 2), 'UnknownRoot', 4, 4, 2);
	// What was agreed once is used up.
	await report(anchor, fork(chain, { setId: 5 }));
	await refused(recover(anchor, 'alice', recovery), 'NotGuardian');
});

test('a later agreement of guardians replaces an earlier one', async () => {
	const { chain, anchor } = await frozen();
	const recovery = (id) => ({ blockNumber: 3, current: chain.set(id), next: chain.set(id + 1) });
	for (const id of [5, 8]) {
		await recover(anchor, 'guardian 0', recovery(id));
		await recover(anchor, 'guardian 1', recovery(id));
	}
	// Who agrees with what was dropped does not bring it back.
	await recover(anchor, 'guardian 2', recovery(5));
	await anchor.machine.advance(7 * DAY);
	await refused(recover(anchor, 'alice', recovery(5)), 'NotGuardian');
	await recover(anchor, 'alice', recovery(8));
	assert.equal((await anchor.status()).setId, 8n);
});

test('sets that guardians agree on are as old as the first vote for them, whenever they take effect', async () => {
	const { chain, anchor } = await frozen();
	const recovery = { blockNumber: 3, current: chain.set(5), next: chain.set(6) };
	await recover(anchor, 'guardian 0', recovery);
	await anchor.machine.advance(3 * DAY);
	const { events } = await recover(anchor, 'guardian 1', recovery);
	const agreed = events[1].args.readyAt - BigInt(7 * DAY);
	await anchor.machine.advance(10 * DAY);
	await recover(anchor, 'alice', recovery);
	const until = await anchor.contract.read('staleSince');
	const late = agreed - BigInt(3 * DAY) + BigInt(14 * DAY) - until;
	assert(late >= 0n && late < 60n, `${late}`);
	chain.setId = 5;
	chain.author();
	await anchor.checkpoint();
	await anchor.machine.advance(DAY + 60);
	chain.author();
	await refused(anchor.checkpoint(), 'ClientStale', until);
});

test('an agreement that nobody puts in force in time is none, and guardians can agree anew', async () => {
	const { chain, anchor } = await frozen();
	const recovery = { blockNumber: 3, current: chain.set(5), next: chain.set(6) };
	await recover(anchor, 'guardian 0', recovery);
	await recover(anchor, 'guardian 1', recovery);
	await anchor.machine.advance(14 * DAY + 60);
	await refused(recover(anchor, 'alice', recovery), 'NotGuardian');
	await recover(anchor, 'guardian 0', recovery);
	await refused(recover(anchor, 'guardian 0', recovery), 'AlreadyAgreed');
	await recover(anchor, 'guardian 2', recovery);
	await anchor.machine.advance(7 * DAY);
	await recover(anchor, 'alice', recovery);
	chain.setId = 5;
	chain.author();
	await anchor.checkpoint();
});

test('a vote that a guardian left behind counts no more', async () => {
	const { chain, anchor } = await frozen();
	const recovery = (id) => ({ blockNumber: 3, current: chain.set(id), next: chain.set(id + 1) });
	// One vote is missing to the first when its voter agrees to the second with another guardian.
	await recover(anchor, 'guardian 0', recovery(5));
	await recover(anchor, 'guardian 0', recovery(8));
	const { events } = await recover(anchor, 'guardian 1', recovery(8));
	assert.equal(events.at(-1).name, 'RecoveryAgreed');
	await anchor.machine.advance(6 * DAY);
	// So the third alone does not bring the first back, nor puts off what is agreed.
	const late = await recover(anchor, 'guardian 2', recovery(5));
	assert.deepEqual(late.events.map(({ name }) => name), ['RecoveryVote']);
	await anchor.machine.advance(DAY);
	await recover(anchor, 'alice', recovery(8));
	assert.equal((await anchor.status()).setId, 8n);
});

test('sets that do not follow each other are refused', async () => {
	const { chain, anchor } = await frozen();
	const recovery = { blockNumber: 3, current: chain.set(5), next: chain.set(7) };
	await recover(anchor, 'guardian 0', recovery);
	await recover(anchor, 'guardian 1', recovery);
	await anchor.machine.advance(7 * DAY);
	await refused(recover(anchor, 'alice', recovery), 'SetOrder', 6, 7);
});

test('what a fork had credited is void after a recovery, and what was true can be proven again', async () => {
	const { chain, anchor } = await start({ outflowCap: 15n * UNIT });
	const alice = addressOf('alice');
	const mallory = addressOf('mallory');
	// All are in the fork; but for the second they are in the true chain, too.
	const honest = { nonce: 0, recipient: alice, amount: 20n * UNIT };
	const forged = { nonce: 1, recipient: mallory, amount: 20n * UNIT };
	const small = { nonce: 2, recipient: addressOf('bob'), amount: UNIT };
	const block = chain.author({ messages: [honest, forged, small].map((w) => withdrawal(anchor.place, w)) });
	chain.author();
	await anchor.checkpoint();
	const smallId = (await anchor.withdraw(small, block, 2)).events[0].args.id;
	await anchor.contract.send('bob', 'claim', addressOf('bob'), [smallId]);
	const honestId = (await anchor.withdraw(honest, block, 0)).events[0].args.id;
	const forgedId = (await anchor.withdraw(forged, block, 1)).events[0].args.id;
	await anchor.contract.send('alice', 'claim', alice, [honestId]);
	const part = await anchor.flt.read('balanceOf', alice);
	assert.ok(part >= 14n * UNIT && part < 15n * UNIT, `${part}`);
	await report(anchor, fork(chain));

	const truth = new Chain({ name: 'fork', sizes: [7] });
	for (let i = 0; i < 3; i++) truth.author();
	truth.author({ messages: [honest, small].map((w) => withdrawal(anchor.place, w)) });
	truth.author();
	truth.setId = 5;
	truth.author();
	const recovery = { blockNumber: 3, current: truth.set(5), next: truth.set(6) };
	await recover(anchor, 'guardian 0', recovery);
	await recover(anchor, 'guardian 1', recovery);
	await anchor.machine.advance(7 * DAY);
	await recover(anchor, 'guardian 1', recovery);
	anchor.chain = truth;
	await anchor.checkpoint();

	await refused(anchor.contract.send('mallory', 'claim', mallory, [forgedId]), 'ProvenBeforeRecovery', 1, 0);
	await refused(anchor.contract.send('alice', 'claim', alice, [honestId]), 'ProvenBeforeRecovery', 1, 0);
	await refused(anchor.withdraw(forged, block, 0), 'MessageNotProven');
	await anchor.withdraw(honest, block, 0);
	await refused(anchor.withdraw(honest, block, 0), 'AlreadyWithdrawn', honestId);
	await anchor.contract.send('alice', 'claim', alice, [honestId]);
	await refused(anchor.withdraw(small, block, 1), 'AlreadyWithdrawn', smallId);
	// What was paid before the recovery is not paid again.
	assert.equal(await anchor.flt.read('balanceOf', alice), 20n * UNIT);
	await refused(anchor.contract.send('alice', 'claim', alice, [honestId]), 'NothingToClaim', honestId);
	assert.equal(await anchor.flt.read('totalSupply'), 21n * UNIT);
});

test('settings that could not work are refused', async () => {
	const chain = new Chain();
	const guardians = [addressOf('a'), addressOf('b')];
	await refused(deploy(chain, { guardians, guardianThreshold: 3 }), 'GuardianSettings', 2, 3);
	await refused(deploy(chain, { guardians, guardianThreshold: 0 }), 'GuardianSettings', 2, 0);
	await refused(deploy(chain, { guardians: [], guardianThreshold: 1 }), 'GuardianSettings', 0, 1);
	await refused(deploy(chain, { guardians: [guardians[0], guardians[0]] }), 'GuardianSettings', 2, 2);
	await refused(deploy(chain, { recoveryDelay: 7 * DAY + 1 }), 'RecoveryDelay', 14 * DAY, 7 * DAY + 1);
	await deploy(chain, { recoveryDelay: 7 * DAY });
	await refused(deploy(chain, { outflowCap: 0 }), 'OutflowSettings', 0, DAY);
	await refused(deploy(chain, { outflowPeriod: 0 }), 'OutflowSettings', undefined, 0);
	await refused(deploy(chain, { maxForcedBytes: 4097 }), 'ForcedSettings', 4096, 4097);
	await refused(deploy(chain, { forceFee: 0 }), 'ZeroForceFee');
	await deploy(chain, { maxForcedBytes: 4096, forceFee: 1 });
	await refused(deploy(chain, { next: chain.set(2) }), 'SetOrder', 1, 2);
	await refused(deploy(chain, { current: { ...chain.set(0), len: 0 } }), 'SetLength', 65_535, 0);
	await deploy(chain, { guardians: [], guardianThreshold: 0 });
});

test('a handover is not read where the current set signs', async () => {
	const { chain, anchor } = await start();
	chain.author();
	await anchor.submit(chain.commit(), { ...NO_HANDOVER, leaf: '0x00' });
});
