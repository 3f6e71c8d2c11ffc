export const HELP = `bitpress: quantizes the weights of neural networks

Usage: bitpress <command> [options]

Commands
  quantize   writes a model with weights in 2 to 8 bits
  inspect    shows what a model file holds, tensor by tensor

Options
  --version    print the version
  -h, --help   print this help; after a command, its own
`;

export const QUANTIZE_HELP = `Usage: bitpress quantize <model> [options]

Quantizes the weights of a model. It needs no data.

  <model>   model.json of a tfjs model, the folder that holds it, or a .safetensors file

Options
  --bits <2…8>             bits of each weight; default 8
  --granularity <which>    perChannel: a scale for each output channel (default); perTensor: one for all
  --layout <which>         output channels of safetensors weights: pytorch, the first axis (default); tfjs, the last
  -o, --output <path>      folder (tfjs) or file (safetensors) to write; default beside the model, named x-int8
  --force                  replace the output if it is there
  --json                   print one JSON document instead of tables
  -h, --help               print this help

The output is written beside its place and renamed when it is whole. Exit codes: 0 done, 1 failed, 2 wrong usage.
`;

export const INSPECT_HELP = `Usage: bitpress inspect <model> [options]

Shows the tensors of a model: shape, dtype as stored, bytes, scales, range and histogram of values.

  <model>   model.json of a tfjs model, the folder that holds it, or a .safetensors file

Options
  --json       print one JSON document instead of a table
  -h, --help   print this help

Columns
  scale       smallest…largest scale of a tensor that is stored quantized
  step        its largest scale relative to the range of its values
  int8 SQNR   of a float weight: what quantize would reach at 8 bits

Exit codes: 0 done, 1 failed, 2 wrong usage.
`;
