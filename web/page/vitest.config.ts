// SPDX-License-Identifier: Apache-2.0
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [svelte()],
  resolve: { dedupe: ['@noble/curves', '@noble/hashes'] },
  test: { testTimeout: 60_000, include: ['test/units/**/*.test.ts'], environment: 'node' },
})
