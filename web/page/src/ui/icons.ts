// SPDX-License-Identifier: Apache-2.0
// Paths on a grid of 24, drawn for this page.

export const ICONS = {
  home: 'M4 11.5 12 4.5l8 7M6.5 10v9h11v-9',
  receive: 'M12 4v11M7.5 11 12 15.5 16.5 11M5 19.5h14',
  wallet:
    'M4 7.5h14.5a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 18zM4 7.5 15.5 4v3.5M16.5 13.5h.01',
  key: 'M8 19.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11 12.5 18.5 5M15.5 8l2.5 2.5',
  devices: 'M4 6.5h12v8H4zM2.5 17.5h9M17 10.5h4v9h-5v-2',
  clock: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v4.5l3 2',
  shield: 'M12 3.5 19 6v5.5c0 4.2-2.8 7.2-7 9-4.2-1.8-7-4.8-7-9V6zM9 12l2.2 2.2L15.2 10',
  question:
    'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 16.5h.01',
  gear: 'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM12 3.5v2.5M12 18v2.5M3.5 12H6M18 12h2.5M6 6l1.8 1.8M16.2 16.2 18 18M18 6l-1.8 1.8M7.8 16.2 6 18',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  copy: 'M9 9h10.5v10.5H9zM5.5 15H4.5V4.5H15v1',
  check: 'M5 12.5 10 17.5 19 7',
  download: 'M12 4v11M7.5 10.5 12 15l4.5-4.5M5 19.5h14',
  print: 'M7 9V4h10v5M7 17H4.5V9h15v8H17M7 14h10v6H7z',
  warning: 'M12 4.5 21 19.5H3zM12 10v4M12 17h.01',
  stop: 'M8.5 3.5h7l5 5v7l-5 5h-7l-5-5v-7zM12 8v5M12 16h.01',
  info: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 11v5.5M12 7.5h.01',
  phone: 'M7.5 3.5h9v17h-9zM10.5 17.5h3',
  server: 'M4.5 5h15v6h-15zM4.5 13h15v6h-15zM8 8h.01M8 16h.01',
  file: 'M6.5 3.5h7.5l4 4v13H6.5zM14 3.5V8h4M9.5 13h5M9.5 16.5h5',
  pen: 'M5 19l1-4L16.5 4.5l3 3L9 18zM14.5 6.5l3 3',
  plus: 'M12 5.5v13M5.5 12h13',
  leave: 'M10 4.5H5v15h5M14 8l4 4-4 4M18 12H9.5',
  arrow: 'M5 12h14M13 6l6 6-6 6',
} as const

export type IconName = keyof typeof ICONS
