/** The stylesheet, which the bundler takes. */
declare module '*.css' {}
