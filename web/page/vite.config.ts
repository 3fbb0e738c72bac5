// SPDX-License-Identifier: Apache-2.0
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [
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
