import { crc32, deflateRawSync } from 'node:zlib'

/** 1 January 1980, the first day that a zip knows: the same files make the same bytes on any day. */
const date = { day: (0 << 9) | (1 << 5) | 1, time: 0 }

const utf8Names = 0x0800
const deflated = 8
/** UNIX, version 2.0: whoever unpacks it sees the modes below. */
const madeBy = (3 << 8) | 20
const mode = 0o100644

/**
 * A zip archive in memory: below 4 GB and 65,536 files, in the order given.
 *
 * @param {{ name: string, data: Uint8Array }[]} files  names with slashes
 * @returns {Buffer}
 */
export function zip (files) {
  const parts = []
  const directory = []
  let offset = 0
  for (const { name, data } of files) {
    const nameBytes = Buffer.from(name)
    const packed = deflateRawSync(data, { level: 6 })
    const common = commonFields({ crc: crc32(data), packed: packed.length, size: data.length, name: nameBytes.length })
    parts.push(fields('u32', 0x04034b50, 'u16', 20), common, nameBytes, packed)
    directory.push(
      fields('u32', 0x02014b50, 'u16', madeBy, 'u16', 20), common,
      fields('u16', 0, 'u16', 0, 'u16', 0, 'u32', mode * 0x10000, 'u32', offset), nameBytes)
    offset += 6 + common.length + nameBytes.length + packed.length
  }
  const listed = Buffer.concat(directory)
  if (files.length > 0xffff || offset + listed.length > 0xffffffff) throw new Error('too much for a zip without its 64-bit extension')
  return Buffer.concat([...parts, listed, fields('u32', 0x06054b50, 'u16', 0, 'u16', 0, 'u16', files.length, 'u16', files.length, 'u32', listed.length, 'u32', offset, 'u16', 0)])
}

/** What stands both before a file and in the directory. */
function commonFields ({ crc, packed, size, name }) {
  return fields('u16', utf8Names, 'u16', deflated, 'u16', date.time, 'u16', date.day, 'u32', crc, 'u32', packed, 'u32', size, 'u16', name, 'u16', 0)
}

/** Numbers as little-endian bytes, each behind its size. */
function fields (...all) {
  const bytes = []
  for (let i = 0; i < all.length; i += 2) {
    const number = Buffer.alloc(4)
    number.writeUInt32LE(all[i + 1] >>> 0)
    bytes.push(all[i] === 'u16' ? number.subarray(0, 2) : number)
  }
  return Buffer.concat(bytes)
}
