// Imports run one way: cli → lab → (napt, endpoints, captures). captures also reads the wire formats of napt and the
// message codec of endpoints, both of which are pure descriptions of bytes.
const below = (name, from, to, except = []) => ({
  name, severity: 'error',
  from: { path: `^${from}/` },
  to: { path: to.map(folder => `^${folder}/`), ...(except.length ? { pathNot: except } : {}) },
})

module.exports = {
  forbidden: [
    below('napt-stands-alone', 'napt', ['endpoints', 'captures', 'lab', 'cli']),
    below('wire-formats-stand-alone', 'napt/wire', ['napt/(?!wire)']),
    below('endpoints-stand-alone', 'endpoints', ['napt', 'captures', 'lab', 'cli']),
    below('captures-read-formats-only', 'captures', ['napt', 'endpoints', 'lab', 'cli'], ['^napt/wire/', '^endpoints/message/']),
    below('lab-is-below-cli', 'lab', ['cli']),
    { name: 'bench-measures-from-outside', severity: 'error', from: { path: '^bench/' }, to: { path: '^(cli|test)/' } },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-tests-in-product', severity: 'error', from: { path: '^(napt|endpoints|captures|lab|cli)/' }, to: { path: '^(test|bench)/' } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^(cap|raw-socket)$' } },
  ],
  options: { tsConfig: { fileName: 'tsconfig.json' }, tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' }, exclude: { path: '^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] } },
}
