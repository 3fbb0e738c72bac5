// SPDX-License-Identifier: Apache-2.0
import { begin, isOver, slide } from './board.js'
import { openSaves } from './saves.js'

const KEYS = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' }
/** Moves between saves that the game makes by itself. */
const EVERY = 10

const $ = (id) => document.getElementById(id)
const board = $('board')
let game = begin()
let moves = 0
let allowed = false
let isSaving = false

const cells = game.cells.map(() => {
  const cell = document.createElement('div')
  cell.className = 'cell'
  board.append(cell)
  return cell
})

function show() {
  $('score').value = game.score
  game.cells.forEach((light, i) => {
    const cell = cells[i]
    cell.textContent = light === 0 ? '' : 2 ** light
    cell.style.setProperty('--light', light)
    if (light === 0) delete cell.dataset.light
    else cell.dataset.light = light
  })
}

function move(direction) {
  const next = slide(game, direction)
  if (!next) return
  game = next
  show()
  $('said').textContent = isOver(game) ? `No move is left. Light: ${game.score}.` : `Light: ${game.score}.`
  if (allowed && ++moves % EVERY === 0) void save()
}

document.addEventListener('keydown', (event) => {
  const direction = KEYS[event.key]
  if (!direction || event.target.closest('button')) return
  event.preventDefault()
  move(direction)
})
for (const button of document.querySelectorAll('[data-slide]'))
  button.addEventListener('click', () => move(button.dataset.slide))
$('anew').addEventListener('click', () => {
  game = begin()
  moves = 0
  show()
})

// --- saves -----------------------------------------------------------------------------------------------------------

const saves = await openSaves()
const say = (words) => {
  $('where').textContent = words
}

function showSaves(account) {
  $('connect').hidden = account !== null
  $('save').hidden = $('load').hidden = account === null
  $('allow').hidden = account === null || allowed
  $('end').hidden = account === null || !allowed
  if (account) say(`Kept for ${account.slice(0, 6)}…${account.slice(-4)}.`)
  else say('Kept nowhere yet.')
}

/** What goes wrong is told where the buttons are; what a person did not want is no trouble. */
const trying = (work) => async () => {
  $('trouble').textContent = ''
  try {
    await work()
  } catch (error) {
    $('trouble').textContent = error.code === 4001 ? 'You did not want it; nothing happened.' : error.message
  }
}

async function save() {
  if (isSaving) return
  isSaving = true
  try {
    say('Saving …')
    const { isDone, block } = await saves.settled(await saves.save(game))
    say(isDone ? `Saved on the chain, in block ${block}.` : 'It was not saved.')
  } catch (error) {
    say('It was not saved.')
    throw error
  } finally {
    isSaving = false
  }
}

async function update() {
  showSaves(await saves.account())
}

show()
board.focus()
if (!saves) {
  $('connect').disabled = true
  $('trouble').textContent = 'No AirAccount was found: is its node running?'
} else {
  saves.wallet.on('accountsChanged', () => void update())
  saves.wallet.on('message', ({ type }) => {
    if (type !== 'airAccount_grantEnded') return
    allowed = false
    void update()
  })
  $('connect').addEventListener('click', trying(async () => showSaves(await saves.connect())))
  $('save').addEventListener('click', trying(save))
  $('load').addEventListener(
    'click',
    trying(async () => {
      const found = await saves.load(await saves.account())
      if (!found) return say('There is no save yet.')
      game = found
      show()
      say('This is your latest save.')
    }),
  )
  $('allow').addEventListener(
    'click',
    trying(async () => {
      const { expiresAt } = await saves.allow()
      allowed = true
      await update()
      say(`Saves by itself every ${EVERY} moves until ${new Date(expiresAt).toLocaleTimeString()}.`)
    }),
  )
  $('end').addEventListener('click', trying(saves.end))
  await update()
}
