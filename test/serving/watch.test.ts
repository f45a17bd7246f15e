import { expect, test } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import { Watch } from '../../src/serving/watch.ts'
import { flowerFiles } from '../helpers/models.ts'
import { liveRepository } from '../helpers/live-repository.ts'

/** A repository whose contents the test sets, and what is asked to be loaded of it. */
function watched (contents: Record<string, string>, { refuses = (_model: string): boolean => false } = {}) {
  const place = { contents, unloaded: new Set<string>(), loads: [] as string[], warnings: [] as string[], refuses, isDown: false }
  const watch = new Watch({
    stamps: async () => {
      if (place.isDown) throw new Error('down')
      return new Map(Object.entries(place.contents))
    },
    load: async model => {
      place.loads.push(model)
      if (place.refuses(model)) throw new ApiError('LOAD_FAILED', 'a broken version')
    },
    isUnloaded: model => place.unloaded.has(model),
    everyMs: 1,
    log: { info: () => {}, warn: (_data, message) => { place.warnings.push(message) } },
  })
  const look = async (): Promise<string[]> => {
    place.loads.length = 0
    await watch.look()
    return [...place.loads]
  }
  return { place, watch, look }
}

test('what was there before the start is not loaded again, and what changes is, once', async () => {
  const { place, watch, look } = watched({ iris: 'a', mpg: 'a' })
  await watch.remember()
  expect(await look()).toEqual([])
  place.contents = { iris: 'b', mpg: 'a', penguins: 'a' }
  expect(await look()).toEqual(['iris', 'penguins'])
  expect(await look()).toEqual([])
})

test('where nobody could look before the start, all is looked at', async () => {
  const { place, watch, look } = watched({ iris: 'a', mpg: 'a' })
  place.isDown = true
  await watch.remember()
  await expect(look()).rejects.toThrow('down')
  place.isDown = false
  expect(await look()).toEqual(['iris', 'mpg'])
  expect(await look()).toEqual([])
})

test('what has gone is said once, and not unloaded', async () => {
  const { place, watch, look } = watched({ iris: 'a', mpg: 'a' })
  await watch.remember()
  place.contents = { mpg: 'a' }
  expect(await look()).toEqual([])
  expect(await look()).toEqual([])
  expect(place.warnings).toEqual(['the model has gone from the repository; it answers until it is unloaded'])
  place.contents = { iris: 'a', mpg: 'a' }
  expect(await look()).toEqual(['iris'])
})

test('what an operator has unloaded stays out', async () => {
  const { place, watch, look } = watched({ iris: 'a' })
  await watch.remember()
  place.unloaded.add('iris')
  place.contents = { iris: 'b' }
  expect(await look()).toEqual([])
})

test('what fails is tried again at longer and longer intervals, and at once when it changes', async () => {
  const { place, watch, look } = watched({ iris: 'a' })
  await watch.remember()
  place.refuses = () => true
  place.contents = { iris: 'b' }
  const rounds: number[] = []
  for (let round = 0; round < 32; round++) if ((await look()).length > 0) rounds.push(round)
  expect(rounds).toEqual([0, 1, 3, 7, 15, 31])
  place.contents = { iris: 'c' }
  place.refuses = () => false
  expect(await look()).toEqual(['iris'])
  expect(await look()).toEqual([])
})

test('a folder can be watched too: new versions, other files and aliases, and nothing where nothing has changed', async () => {
  const { server, put } = await liveRepository({ 'flower/1.0.0': flowerFiles() })
  const loads: string[] = []
  const watch = server.app.inference.registry.watch({ everyMs: 1, load: async model => { loads.push(model) }, log: server.app.log })
  await watch?.remember()
  await watch?.look()
  expect(loads).toEqual([])
  await put('flower/1.1.0', flowerFiles('flower', '1.1.0'))
  await watch?.look()
  await watch?.look()
  expect(loads).toEqual(['flower'])
  await put('flower/aliases.json', '{"production": "1.0.0"}')
  await watch?.look()
  expect(loads).toEqual(['flower', 'flower'])
})
