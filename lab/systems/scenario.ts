// A documented system on a bench: brings the bench up, and lets its sequence run there (scenario-run.ts). A system (fig2.ts,
// fig13.ts …) is a description of what is its own; everything else is here.
import { BenchError } from '../bench/bench.js'
import { openBuilt } from '../bench/open.js'
import { discardParts, partsFolder, prepareFolder } from './output-folder.js'
import type { Finished, Scenario, ScenarioOptions } from './stage.js'

export type { Scenario, ScenarioOptions, ScenarioResult, Stage } from './stage.js'

/**
 * @returns the result, the captures as read, and the keys that open them
 * @throws BenchError when the description lacks what the scenario needs or the folder cannot be written; PrerequisiteError when the
 *   machine refuses namespaces
 */
export async function runScenario(scenario: Scenario, options: ScenarioOptions): Promise<Finished> {
  const { bench: description, title } = scenario
  const { hosts, routers = {}, name } = description
  const missing = [...scenario.hosts.filter(host => !(host in hosts)), ...scenario.routers.filter(router => !(router in routers))]
  if (missing.length > 0) throw new BenchError(`bench ${name} cannot run ${title}: it has no ${missing.join(', ')}. Begin with \`naptlab bench ${scenario.standardBench} > my.yaml\`.`)
  const out = prepareFolder(options.out, options.name ?? scenario.name)
  // What reads packets, and what they have to be, is loaded while the bench comes up: neither is quick, and they are two processes.
  const loading = import('./scenario-run.js').then(({ ScenarioRun, goldenOf }) => ({ ScenarioRun, golden: goldenOf(scenario) }))
  loading.catch(() => undefined) // heard of below
  const bench = await openBuilt(description, { ...(options.seed === undefined ? {} : { seed: options.seed }), routerSettings: () => ({ captureFolder: partsFolder(out) }) })
  try {
    const { ScenarioRun, golden } = await loading
    return await new ScenarioRun(bench, scenario, golden, out, options).run()
  } finally {
    await bench.close()
    discardParts(out)
  }
}

