/** What wrangler's Data rule makes of an imported .tflite file: its bytes. */
declare module "*.tflite" {
  const bytes: ArrayBuffer;
  export default bytes;
}
