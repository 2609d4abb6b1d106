import js from '@eslint/js'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  // AssemblyScript has decorators on functions; asc checks its types.
  { ignores: ['dist/', 'node_modules/', '.tap/', 'out/', 'napt/assembly/forward.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/prefer-literal-enum-member': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
    },
  },
  {
    files: ['napt/**', 'endpoints/**', 'captures/**', 'lab/**'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['cli/commands/**'],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' }, // yargs infers the options from the builder
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'off', // tap's t.test() is awaited by tap itself
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off', // a tap subtest is async so that it ends by itself
    },
  },
  { files: ['scripts/**', '*.js', '*.cjs'], languageOptions: { globals: { process: 'readonly', console: 'readonly', module: 'writable' } } },
)
