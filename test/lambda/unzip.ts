import { crc32, inflateRawSync } from 'node:zlib'

export interface ZippedFile { readonly name: string, readonly data: Buffer, readonly mode: number, readonly modified: string }

/** Reads an archive by its directory, as every unpacker does, and checks each file against its CRC-32. */
export function unzip (archive: Buffer): ZippedFile[] {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  const count = archive.readUInt16LE(end + 10)
  let at = archive.readUInt32LE(end + 16)
  return Array.from({ length: count }, () => {
    if (archive.readUInt32LE(at) !== 0x02014b50) throw new Error(`no entry of the directory at ${at}`)
    const [time, day, crc, packed, size] = [archive.readUInt16LE(at + 12), archive.readUInt16LE(at + 14), archive.readUInt32LE(at + 16), archive.readUInt32LE(at + 20), archive.readUInt32LE(at + 24)]
    const nameLength = archive.readUInt16LE(at + 28)
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength)
    const local = archive.readUInt32LE(at + 42)
    const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    const data = inflateRawSync(archive.subarray(from, from + packed))
    if (data.length !== size || crc32(data) !== crc) throw new Error(`${name} is not what the directory says`)
    const mode = archive.readUInt32LE(at + 38) >>> 16
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
    return { name, data, mode, modified: `${1980 + (day >> 9)}-${(day >> 5) & 15}-${day & 31} ${time}` }
  })
}
