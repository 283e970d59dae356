/** Files that the program embeds as text, with `with { type: "text" }` (`core/cli/starter.ts`). */
declare module "*.sql" {
  const text: string;
  export default text;
}
