import { readdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { itemFormats } from '#libs/connectors/file/item-format.ts'
import type { FolderFormat } from '#libs/connectors/file/options.ts'
import { E } from '#libs/fp.ts'
import { connectorLaws, type LawRig } from '../../../laws/connector.laws.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { openSide } from './open-side.ts'
import { formats, itemOf, oddUids } from './sample-items.ts'

const rig = (format: FolderFormat) => async (): Promise<LawRig> => {
  const { kind, text, poison } = formats[format]
  const { path, remove } = await temporaryFolder()
  const open = () => openSide(kind, { path })
  const fileOf = async (key: string): Promise<string | undefined> => {
    for (const name of await readdir(path)) {
      const parsed = itemFormats[format].parse(await readFile(join(path, name), 'utf8'))
      if (E.isRight(parsed) && parsed.right.key === key) return join(path, name)
    }
    return undefined
  }
  let made = 0
  return {
    side: await open(),
    reopen: open,
    sample: (n, edition = 0) => itemOf(format, text(`uid-${n}`, edition)),
    put: async (item) => {
      const written = itemFormats[format].format(item.key, item.fields)
      if (E.isLeft(written)) throw new Error(written.left)
      await writeFile((await fileOf(item.key)) ?? join(path, `somebody's ${made++}.${format}`), written.right)
    },
    remove: async (key) => unlink((await fileOf(key)) ?? 'nowhere'),
    spoil: () => writeFile(join(path, `broken.${format}`), 'BEGIN:VCARD\r\nFN:x\r\n'),
    odd: oddUids.map((uid) => itemOf(format, text(uid))),
    poison: { key: 'poison', fields: poison },
    dispose: remove,
  }
}

connectorLaws('a folder of .vcf files', rig('vcf'))
connectorLaws('a folder of .ics files', rig('ics'))
