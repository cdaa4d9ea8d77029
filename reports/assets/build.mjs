// Bundles the part of ECharts that reports use into echarts.min.js beside this
// file, from the npm packages that package-lock.json pins. Needs no network.
import { build } from 'esbuild';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, 'echarts.min.js');
const { version } = createRequire(import.meta.url)('echarts/package.json');

const result = await build({
  entryPoints: [join(here, 'charts.mjs')],
  bundle: true,
  minify: true,
  format: 'iife',
  globalName: 'echarts',
  target: 'es2018',
  charset: 'ascii',
  legalComments: 'none',
  write: false,
});

// The bundle stands inside a script element, so nothing in it may end one.
const code = result.outputFiles[0].text
  .replace(/<\/script/gi, '<\\/script')
  .replace(/<!--/g, '<\\!--');
const banner = `/* Apache ECharts ${version}, Apache License 2.0, https://echarts.apache.org */\n`;
const text = banner + code;

const old = await readFile(out, 'utf8').catch(() => '');
if (old !== text) {
  await writeFile(out, text); // an unchanged file keeps its time and Go's build cache
}
console.error(`reports/assets/echarts.min.js: ECharts ${version}, ${(text.length / 1e6).toFixed(2)} MB`);
