/**
 * A value does not fit where it should stand. The text follows the name of the parameter or column.
 */
export class Unfit extends Error {
  override readonly name = "Unfit";
}
