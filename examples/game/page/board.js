// SPDX-License-Identifier: Apache-2.0
// The game itself: sixteen cells with the brightness of their lanterns, 0 for none. Pure but for the chance of new ones.

const SIDE = 4
const BRIGHTEST = 15

/** Cells of each line in the order in which they slide: towards the first. */
const LINES = {
  left: (line, i) => line * SIDE + i,
  right: (line, i) => line * SIDE + (SIDE - 1 - i),
  up: (line, i) => i * SIDE + line,
  down: (line, i) => (SIDE - 1 - i) * SIDE + line,
}

export const begin = () => place(place({ cells: Array(SIDE * SIDE).fill(0), score: 0 }))

/** A lantern on a free cell; the game as it is when there is none. */
function place({ cells, score }) {
  const free = cells.flatMap((light, i) => (light === 0 ? [i] : []))
  if (free.length === 0) return { cells, score }
  const next = [...cells]
  next[free[Math.floor(Math.random() * free.length)]] = Math.random() < 0.9 ? 1 : 2
  return { cells: next, score }
}

function join(line) {
  const lights = line.filter((light) => light !== 0)
  const joined = []
  let gained = 0
  for (let i = 0; i < lights.length; i++) {
    const isPair = lights[i] === lights[i + 1] && lights[i] < BRIGHTEST
    joined.push(isPair ? lights[i] + 1 : lights[i])
    if (isPair) {
      gained += 2 ** (lights[i] + 1)
      i++
    }
  }
  return { line: [...joined, ...Array(SIDE - joined.length).fill(0)], gained }
}

/** After a slide and a new lantern; null when nothing moves. */
export function slide({ cells, score }, direction) {
  const at = LINES[direction]
  const next = [...cells]
  let gained = 0
  for (let line = 0; line < SIDE; line++) {
    const places = Array.from({ length: SIDE }, (_, i) => at(line, i))
    const done = join(places.map((i) => cells[i]))
    gained += done.gained
    places.forEach((i, k) => {
      next[i] = done.line[k]
    })
  }
  if (next.every((light, i) => light === cells[i])) return null
  return place({ cells: next, score: score + gained })
}

export const isOver = (game) => Object.keys(LINES).every((direction) => slide(game, direction) === null)

/** One byte a cell, in the upper half of 32 bytes. */
export const pack = ({ cells }) =>
  `0x${cells.map((light) => light.toString(16).padStart(2, '0')).join('')}${'00'.repeat(16)}`

/** Null for bytes that no game packs. */
export function unpack(state, score) {
  const cells = [...Array(SIDE * SIDE).keys()].map((i) => Number.parseInt(state.slice(2 + 2 * i, 4 + 2 * i), 16))
  const isGame = /^0x[0-9a-f]{32}0{32}$/.test(state) && cells.every((light) => light <= BRIGHTEST) && cells.some(Boolean)
  return isGame ? { cells, score } : null
}
