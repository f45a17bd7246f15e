import { join } from 'node:path'
import { type AliasBook, changeAlias, mendModel, readAliases } from './change-alias.ts'
import { readHistory } from './history.ts'
import { s3AliasBook } from './s3-alias-book.ts'
import { isS3Uri } from './s3-uri.ts'

/** @param models a folder, or s3://bucket/prefix */
export function openAliasBook (models: string): AliasBook {
  if (isS3Uri(models)) return s3AliasBook(models)
  return {
    mend: name => mendModel(join(models, name)),
    aliases: name => readAliases(join(models, name)),
    history: name => readHistory(join(models, name)),
    change: (name, change) => changeAlias(join(models, name), change),
  }
}
