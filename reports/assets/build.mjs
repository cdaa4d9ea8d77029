// Bundles the part of ECharts that reports use into echarts.min.js beside this
// file, from the npm packages that package-lock.json pins. Needs no network.
import { build } from 'esbuild';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const { version } = createRequire(import.meta.url)('echarts/package.json');

// One line here for one more kind of chart.
const used = `
  import { use, init } from 'echarts/core';
  import { LineChart } from 'echarts/charts';
  import { GridComponent, TooltipComponent, MarkLineComponent, MarkAreaComponent } from 'echarts/components';
  import { CanvasRenderer } from 'echarts/renderers';
  use([LineChart, GridComponent, TooltipComponent, MarkLineComponent, MarkAreaComponent, CanvasRenderer]);
  export { init };
`;

const result = await build({
  stdin: { contents: used, resolveDir: here },
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
const text = `/* Apache ECharts ${version}, Apache License 2.0, https://echarts.apache.org */\n` + code;

await writeFile(join(here, 'echarts.min.js'), text);
console.error(`reports/assets/echarts.min.js: ECharts ${version}, ${(text.length / 1e6).toFixed(2)} MB`);
