// Compiles the contracts with the pinned compiler and writes what clients need of them to artefacts/.
//
// node build.mjs           writes
// node build.mjs --check   writes nothing and fails where the sources make something else than what is committed

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import solc from 'solc';

const PINNED = '0.8.37';
// What others deploy (Anchor, which deploys Flt) or talk to. Vectors is of the tests: it opens the
// libraries, so that they can be compared with the chain's own code.
const CONTRACTS = { 'src/Anchor.sol': ['Anchor'], 'src/Flt.sol': ['Flt'], 'test/Vectors.sol': ['Vectors'] };
// Limits of EIP-170 and EIP-3860. Filecoin has the first, too.
const MAX_CODE = 24_576;
const MAX_INIT_CODE = 49_152;

const here = (path) => new URL(path, import.meta.url);

function sources() {
	const names = [...readdirSync(here('src')).map((name) => `src/${name}`), 'test/Vectors.sol'];
	return Object.fromEntries(
		names
			.filter((name) => name.endsWith('.sol'))
			.sort()
			.map((name) => [name, { content: readFileSync(here(name), 'utf8') }]),
	);
}

function compile() {
	if (!solc.version().startsWith(`${PINNED}+`)) {
		throw new Error(`solc ${PINNED} expected, ${solc.version()} found: run npm ci`);
	}
	const outputSelection = {};
	for (const [file, contracts] of Object.entries(CONTRACTS)) {
		outputSelection[file] = Object.fromEntries(
			contracts.map((name) => [name, ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object']]),
		);
	}
	const input = {
		language: 'Solidity',
		sources: sources(),
		settings: {
			// Paris has no opcode that an EVM on Filecoin might lack.
			evmVersion: 'paris',
			optimizer: { enabled: true, runs: 1000 },
			// Without metadata the bytecode depends on the code alone, not on comments.
			metadata: { appendCBOR: false, bytecodeHash: 'none' },
			outputSelection,
		},
	};
	const output = JSON.parse(solc.compile(JSON.stringify(input)));
	const problems = output.errors ?? [];
	for (const problem of problems) process.stderr.write(`${problem.formattedMessage}\n`);
	if (problems.length !== 0) throw new Error('the contracts do not compile without warnings');
	return output.contracts;
}

/** Name of each artefact and its text. */
export function artefacts() {
	const output = compile();
	const made = {};
	for (const [file, contracts] of Object.entries(CONTRACTS)) {
		for (const name of contracts) {
			const { abi, evm } = output[file][name];
			const size = evm.deployedBytecode.object.length / 2;
			const initSize = evm.bytecode.object.length / 2;
			if (size > MAX_CODE || initSize > MAX_INIT_CODE) {
				throw new Error(`${name} has ${size} bytes, ${initSize} with its constructor: too many`);
			}
			const bytecode = `0x${evm.bytecode.object}`;
			const deployedBytecode = `0x${evm.deployedBytecode.object}`;
			const artefact = { contract: name, compiler: PINNED, evmVersion: 'paris', abi, bytecode, deployedBytecode };
			made[name] = { text: `${JSON.stringify(artefact, null, '\t')}\n`, size, initSize };
		}
	}
	return made;
}

if (import.meta.url === `file://${process.argv[1]}`) {
	const check = process.argv.includes('--check');
	let differs = false;
	for (const [name, { text, size, initSize }] of Object.entries(artefacts())) {
		const path = here(`artefacts/${name}.json`);
		if (check) {
			let committed = '';
			try {
				committed = readFileSync(path, 'utf8');
			} catch {}
			if (committed !== text) {
				console.error(`artefacts/${name}.json is not what the sources make: run npm run build`);
				differs = true;
			}
		} else {
			writeFileSync(path, text);
		}
		console.log(`${name}: ${size} bytes, ${initSize} with constructor`);
	}
	if (differs) process.exit(1);
}
