/** Markup that is safe to put into a page. Only `html` makes it, so that no text gets in unescaped. */
export interface Html { readonly markup: string }

export type Content = Html | string | number | undefined | readonly Content[]

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' }

/** Text and attributes (which must stand in quotes) are escaped, markup is put in as it is, undefined is nothing. */
export function html (parts: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return { markup: parts.map((part, i) => part + (i < contents.length ? render(contents[i]) : '')).join('') }
}

function render (content: Content): string {
  if (content === undefined) return ''
  if (typeof content === 'string' || typeof content === 'number') return String(content).replaceAll(/[&<>"']/g, character => entities[character]!)
  return 'markup' in content ? content.markup : content.map(render).join('')
}
