declare module 'asl-validator' {
  export default function (definition: object): { isValid: boolean, errorsText: () => string }
}
