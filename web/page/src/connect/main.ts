// SPDX-License-Identifier: Apache-2.0
// The window that web apps of others open: a document of its own, because it alone keeps its opener (docs/dapps.md).
import { mount } from 'svelte'
import Connect from './Connect.svelte'
import '../styles/base.css'
import '../state/locale.svelte'
import { session } from '../state/session.svelte'

// What failed is shown by the view.
session.ask().catch(() => undefined)
mount(Connect, { target: document.getElementById('app') as HTMLElement })
