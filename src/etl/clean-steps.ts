import type { Step } from './pipeline-file.ts'
import { type Statement, identifier, literal, literals } from './sql.ts'

/** Says for each row of `typed` that is still there whether the step drops it. */
export function stepStatement (step: Step, columns: readonly string[]): Statement {
  return {
    name: step.name,
    sql: `UPDATE typed SET _step = ${literal(step.name)}, _reason = ${reasonSql(step)}
WHERE _step IS NULL AND ${conditionSql(step, columns)}`,
  }
}

/** In words, for the account. */
export function reasonOf (step: Step): string {
  if (step.why !== undefined) return step.why
  if ('missing' in step) return `without ${step.missing.join(' or ')}`
  if ('duplicates' in step) return step.duplicates === 'all' ? 'the same as an earlier row' : `the same ${step.duplicates.join(', ')} as an earlier row`
  if ('matches' in step) return `${step.matches.column} matches ${step.matches.pattern}`
  if ('in' in step) return `${step.in.column} is one of ${step.in.values.join(', ')}`
  return 'atMost' in step ? `${step.atMost.column} is at most ${step.atMost.value}` : `${step.atLeast.column} is at least ${step.atLeast.value}`
}

/** Of missing values each row tells which. */
function reasonSql (step: Step): string {
  if (!('missing' in step) || step.why !== undefined) return literal(reasonOf(step))
  const names = step.missing.map(name => `CASE WHEN ${identifier(name)} IS NULL THEN ${literal(name)} END`)
  return `'without ' || concat_ws(', ', ${names.join(', ')})`
}

function conditionSql (step: Step, columns: readonly string[]): string {
  if ('missing' in step) return `(${step.missing.map(name => `${identifier(name)} IS NULL`).join(' OR ')})`
  if ('duplicates' in step) {
    const keys = step.duplicates === 'all' ? columns : step.duplicates
    return `_row NOT IN (SELECT min(_row) FROM typed WHERE _step IS NULL GROUP BY ${keys.map(identifier).join(', ')})`
  }
  if ('matches' in step) return `regexp_matches(${identifier(step.matches.column)}, ${literal(step.matches.pattern)})`
  if ('in' in step) return `list_contains(${literals(step.in.values)}, ${identifier(step.in.column)})`
  return 'atMost' in step ? `${identifier(step.atMost.column)} <= ${step.atMost.value}` : `${identifier(step.atLeast.column)} >= ${step.atLeast.value}`
}
