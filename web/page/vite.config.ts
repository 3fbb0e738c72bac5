// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

/** Both pages have one head and one text for browsers without scripts: what is about neither alone stands once. */
const sharedParts: Plugin = {
  name: 'shared-parts',
  transformIndexHtml: {
    order: 'pre',
    handler: (html) =>
      html.replace(/ *<!-- (head|noscript)\.html -->\n/g, (_, part: string) =>
        readFileSync(new URL(`${part}.html`, import.meta.url), 'utf8'),
      ),
  },
}

export default defineConfig({
  plugins: [
    sharedParts,
    svelte({
      compilerOptions: {
        // Elements are made one by one and never parsed out of text, so the page runs under Trusted Types.
        fragments: 'tree',
      },
    }),
  ],
  // The escape page's core brings packages of the same versions; one copy is enough.
  resolve: { dedupe: ['@noble/curves', '@noble/hashes'] },
  build: {
    target: 'es2022',
    // The helper would run as inline code of its own in older browsers; those without it load a moment later.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // One style sheet for all views is 6 kB packed; twenty small ones would each cost a request.
    cssCodeSplit: false,
    reportCompressedSize: false,
    rolldownOptions: { input: ['index.html', 'connect.html'] },
  },
  server: { proxy: { '/api': 'http://localhost:9000' } },
})
