// SPDX-License-Identifier: Apache-2.0
// Makes src/generated: TypeScript types of the API from spec/openapi.json, and the words of the page from messages/.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { compile } from '@inlang/paraglide-js'
import openapi, { astToString } from 'openapi-typescript'
import { complaints } from './check_messages.mjs'

const here = path.resolve(import.meta.dirname, '..')
const generated = path.join(here, 'src/generated')

const found = complaints()
if (found.length > 0) {
  console.error(found.join('\n'))
  process.exit(1)
}

rmSync(generated, { recursive: true, force: true })
await compile({
  project: path.join(here, 'project.inlang'),
  outdir: path.join(generated, 'words'),
  strategy: ['globalVariable', 'baseLocale'],
  outputStructure: 'message-modules',
  emitGitIgnore: false,
  emitPrettierIgnore: false,
  emitReadme: false,
  cleanOutdir: true,
})
// A project whose plugin is missing compiles to nothing and says so in a warning alone.
if (!readFileSync(path.join(generated, 'words/messages/_index.js'), 'utf8').includes('app_name')) {
  console.error('the words were not compiled: is @inlang/plugin-message-format installed?')
  process.exit(1)
}

const contract = new URL('../../../spec/openapi.json', import.meta.url)
const types = astToString(await openapi(contract, { alphabetize: true, immutable: true }))
writeFileSync(path.join(generated, 'api.d.ts'), `// SPDX-License-Identifier: Apache-2.0\n${types}`)
