// SPDX-License-Identifier: Apache-2.0
import { mount } from 'svelte'
import App from './App.svelte'
import './styles/base.css'
import './state/locale.svelte'
import { startLive } from './state/page-live'
import { router } from './state/router.svelte'
import { session } from './state/session.svelte'

router.start()
startLive()
// What failed is shown by the views that need it.
session.ask().catch(() => undefined)
mount(App, { target: document.getElementById('app') as HTMLElement })
