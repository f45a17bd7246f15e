import { type SettingName, settings } from '../../src/config.ts'

/** A setting as the documents show it. */
export interface SettingRow {
  name: SettingName
  default: string
  about: string
  allowed: string
  /** Other variables that it is read from: older names, and NAME_FILE of a secret. */
  alsoRead: string[]
}

export function settingRows (): SettingRow[] {
  return Object.entries(settings).map(([name, setting]) => ({
    name: name as SettingName,
    default: 'default' in setting ? setting.default ?? '' : '',
    about: setting.about,
    allowed: setting.allowed,
    alsoRead: [...'aliases' in setting ? setting.aliases ?? [] : [], ...'secret' in setting && setting.secret === true ? [`${name}_FILE`] : []],
  }))
}

/** The table of README.md. */
export function shortTable (): string {
  return table(['name', 'default', 'what'], settingRows().map(row => [code(row.name), code(row.default), row.about]))
}

/** The table of docs/settings.md. */
export function longTable (): string {
  return table(['name', 'default', 'allowed', 'what'], settingRows().map(row => [
    [row.name, ...row.alsoRead].map(code).join('<br>'), code(row.default), row.allowed, row.about,
  ]))
}

/** .env.example: what one may write to a file and change. */
export function envExample (): string {
  const lines = settingRows().flatMap(({ name, default: value, about, allowed, alsoRead }) => {
    // The image sets its own, and `docker run --env-file` would overrule that.
    const mark = about.endsWith('in the image') ? '#' : ''
    const also = alsoRead.length === 0 ? '' : ` (or ${alsoRead.join(', ')})`
    const choice = ['text', 'PEM', 'a folder'].includes(allowed) ? '' : `. Allowed: ${allowed}`
    return [`# ${about.replaceAll('`', '')}${also}${choice}`, `${mark}${name}=${value}`]
  })
  return `# Every setting with its default; an empty value counts as unset. docs/settings.md says more.\n\n${lines.join('\n')}\n`
}

/**
 * A document with what stands between `<!-- name -->` and `<!-- /name -->` replaced.
 *
 * @throws Error when it has no such place
 */
export function withBlock (document: string, name: string, block: string): string {
  const begin = `<!-- ${name} -->\n`
  const end = `<!-- /${name} -->`
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the document has no place ${begin.trim()} … ${end}`)
  return document.slice(0, from + begin.length) + block + document.slice(to)
}

function table (head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`).join('')
}

function code (text: string): string {
  return text === '' ? '–' : `\`${text}\``
}
