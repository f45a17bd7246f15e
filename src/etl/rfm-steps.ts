import { copySql } from './output.ts'
import { type Statement, literal } from './sql.ts'

export interface RfmTimes {
  /** Dates as 2011-09-01; at the start of that day. */
  readonly cutoffs: readonly string[]
  readonly horizonDays: number
}

// Money is added up in DECIMAL: sums of doubles depend on which thread was first.
const purchasesSql = (source: string) => `CREATE TABLE purchases AS
WITH source AS (
${source}
), typed AS (SELECT
  CAST(customer AS VARCHAR) AS customer,
  CAST(invoice AS VARCHAR) AS invoice,
  CAST(product AS VARCHAR) AS product,
  TRY_CAST(time AS TIMESTAMP) AS time,
  TRY_CAST(quantity AS DECIMAL(15, 3)) * TRY_CAST(price AS DECIMAL(18, 6)) AS amount
FROM source)
SELECT *, (customer IS NOT NULL AND invoice IS NOT NULL AND product IS NOT NULL AND amount IS NOT NULL AND isfinite(time)) IS TRUE AS usable
FROM typed`

// All that features are made of. No other table of purchases is read for them.
const historySql = `CREATE VIEW history AS
SELECT c.cutoff, p.customer, p.invoice, p.product, p.amount, CAST(p.time AS DATE) AS day
FROM purchases p JOIN cutoffs c ON p.time < c.cutoff
WHERE p.usable`

// Whole days between days with a purchase: two invoices of one day are one visit. Sums of whole numbers are exact.
const gapsSql = `CREATE TABLE gaps AS
WITH days AS (SELECT DISTINCT cutoff, customer, day FROM history),
between_days AS (SELECT cutoff, customer, CAST(day - lag(day) OVER (PARTITION BY cutoff, customer ORDER BY day) AS HUGEINT) AS gap FROM days)
SELECT cutoff, customer, count(gap) AS n, sum(gap) AS total, sum(gap * gap) AS squares
FROM between_days GROUP BY cutoff, customer`

const featuresSql = `CREATE TABLE features AS
WITH totals AS (SELECT
  cutoff,
  customer,
  CAST(cutoff - max(day) AS INTEGER) AS recency_days,
  count(DISTINCT invoice) AS frequency,
  CAST(sum(amount) AS DOUBLE) AS monetary,
  CAST(cutoff - min(day) AS INTEGER) AS tenure_days,
  count(DISTINCT product) AS distinct_products
FROM history GROUP BY cutoff, customer)
SELECT
  t.customer,
  t.cutoff,
  recency_days,
  frequency,
  monetary,
  tenure_days,
  monetary / frequency AS mean_basket,
  CASE WHEN g.n >= 1 THEN CAST(g.total AS DOUBLE) / CAST(g.n AS DOUBLE) END AS mean_days_between,
  CASE WHEN g.n >= 2 THEN sqrt(CAST(g.n * g.squares - g.total * g.total AS DOUBLE) / CAST(g.n * (g.n - 1) AS DOUBLE)) END AS std_days_between,
  distinct_products,
  month(t.cutoff) AS cutoff_month,
  isodow(t.cutoff) AS cutoff_weekday,
  dayofyear(t.cutoff) AS cutoff_day_of_year
FROM totals t JOIN gaps g ON g.cutoff = t.cutoff AND g.customer = t.customer`

const targetSql = (horizonDays: number) => `CREATE TABLE target AS
SELECT DISTINCT c.cutoff, p.customer
FROM purchases p JOIN cutoffs c ON p.time >= c.cutoff AND p.time < c.cutoff + INTERVAL ${horizonDays} DAY
WHERE p.usable`

/** @param source a query with the columns customer, invoice, product, time, quantity and price */
export function rfmStatements (source: string, { cutoffs, horizonDays }: RfmTimes): Statement[] {
  return [
    { name: 'purchases', sql: purchasesSql(source) },
    { name: 'cutoffs', sql: `CREATE TABLE cutoffs AS\nSELECT DISTINCT unnest([${cutoffs.map(date => `DATE ${literal(date)}`).join(', ')}]) AS cutoff` },
    { name: 'history', sql: historySql },
    { name: 'gaps', sql: gapsSql },
    { name: 'features', sql: featuresSql },
    { name: 'target', sql: targetSql(horizonDays) },
  ]
}

export function writeStatement (path: string): Statement {
  return {
    name: 'write',
    sql: copySql(`SELECT f.*, t.customer IS NOT NULL AS buys_again
FROM features f LEFT JOIN target t ON t.cutoff = f.cutoff AND t.customer = f.customer
ORDER BY f.cutoff, f.customer`, path),
  }
}
