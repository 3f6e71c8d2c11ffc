export { QuantError } from "./core/errors.js";
