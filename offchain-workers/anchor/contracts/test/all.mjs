// All tests in one process, which warms up once: that takes half the time of a process for each file. On anvil each file has
// to be run by itself, since each begins with an empty chain.
//
// node --test test/all.mjs

import { readdirSync } from 'node:fs';

const names = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.test.mjs'));
for (const name of names.sort()) await import(`./${name}`);
