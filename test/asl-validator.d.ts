declare module 'asl-validator' {
  const aslValidator: (definition: unknown) => {
    readonly isValid: boolean;
    readonly errorsText: (separator?: string) => string;
  };
  export default aslValidator;
}
