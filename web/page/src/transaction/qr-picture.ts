// SPDX-License-Identifier: Apache-2.0
// QR codes out of pictures: by the browser where it can, else by a decoder that is loaded when it is wanted.
import jsQR from 'jsqr'

/** Pictures of cameras are larger than what a code needs. */
const MOST_PIXELS = 1_600
const MOST_BYTES = 30_000_000

/** The text of the code in a picture; null when there is none or the file is no picture. */
export async function readQrCode(file: Blob): Promise<string | null> {
  if (file.size > MOST_BYTES) return null
  let picture: ImageBitmap
  try {
    picture = await createImageBitmap(file)
  } catch {
    return null
  }
  const scale = Math.min(1, MOST_PIXELS / Math.max(picture.width, picture.height))
  const width = Math.max(1, Math.round(picture.width * scale))
  const height = Math.max(1, Math.round(picture.height * scale))
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) return null
  // Transparent parts of a picture are paper.
  context.fillStyle = '#fff'
  context.fillRect(0, 0, width, height)
  context.drawImage(picture, 0, 0, width, height)
  picture.close()
  const { data } = context.getImageData(0, 0, width, height)
  return jsQR(data, width, height)?.data.trim() || null
}
