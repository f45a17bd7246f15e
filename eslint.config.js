import neostandard, { plugins, resolveIgnoresFromGitignore } from 'neostandard'

const typescript = plugins['typescript-eslint']

/** Files where a process begins: the only ones that may look at the environment. */
const entryPoints = ['src/main.ts', 'src/lambda.ts', 'src/cli/**']

const environment = {
  selector: 'MemberExpression[object.name="process"][property.name="env"]',
  message: 'The environment is read at the entry points only: take what is needed from Config.',
}
const environmentImport = {
  selector: 'ImportDeclaration[source.value=/^(node:)?process$/] ImportSpecifier[imported.name="env"]',
  message: environment.message,
}

export default [
  ...neostandard({
    ts: true,
    noJsx: true,
    ignores: [...resolveIgnoresFromGitignore(), 'src/onnx/*_pb*', 'test/fixtures/**'],
  }),
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
  },
  {
    name: 'modelport/typed',
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@typescript-eslint': typescript.plugin },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // The compiler knows the eight answers of typeof; a comparison with a variable is fine.
      'valid-typeof': 'off',
    },
  },
  {
    // Its packages are its own and need not be installed: what an expression's type is cannot be told without them.
    name: 'modelport/infra',
    files: ['infra/**/*.ts'],
    rules: { '@typescript-eslint/no-unnecessary-type-assertion': 'off' },
  },
  {
    name: 'modelport/size',
    files: ['src/**/*.ts', 'bench/**/*.ts', 'demo/**/*.ts', 'scripts/**/*.js', 'infra/**/*.ts'],
    rules: {
      // Counts every `?.` and `??` as a branch too, hence not lower.
      complexity: ['error', 15],
      'max-lines': ['error', 250],
      'max-lines-per-function': ['error', 60],
    },
  },
  {
    name: 'modelport/src',
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': ['error', environment, environmentImport],
    },
  },
  {
    name: 'modelport/entry-points',
    files: entryPoints,
    rules: { 'no-console': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    // The SDK looks at this variable when its first client is made.
    name: 'modelport/sdk-warning',
    files: ['src/artifact/s3.ts'],
    rules: {
      'no-restricted-syntax': ['error', environmentImport, {
        ...environment,
        selector: `:not(MemberExpression[property.name="AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"]) > ${environment.selector}`,
      }],
    },
  },
  {
    // The runtime reads this variable once, when it loads: it must be set right there.
    name: 'modelport/telemetry',
    files: ['src/engine/session.ts'],
    rules: {
      'no-restricted-syntax': ['error', environmentImport, {
        ...environment,
        selector: `:not(MemberExpression[property.name="ORT_DISABLE_TELEMETRY"]) > ${environment.selector}`,
      }],
    },
  },
]
