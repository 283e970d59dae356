/** The AMQP layer: the only folder that knows the AMQP client (wiki/Queue-Topology.md). */
export {
  baseTopology,
  DEAD_KEY,
  DEAD_QUEUE,
  exchange,
  laneTopology,
  type QueueLimits,
  retrySteps,
  UNROUTABLE_QUEUE,
} from "./base-topology.ts";
export type { ConfirmLimits } from "./confirm-window.ts";
export {
  type AmqpConnection,
  type ConnectionOptions,
  openConnection,
  type TlsFiles,
} from "./connection.ts";
export { consume, type ConsumeOptions, type Consumer } from "./consumer.ts";
export type { Delivery } from "./delivery.ts";
export type { FieldTable, FieldValue } from "./field-table.ts";
export type { OutgoingMessage } from "./frame-writer.ts";
export { isFailedAttempt, Link, type LinkOptions } from "./link.ts";
export type { ArrivedProperties, OutgoingProperties } from "./message-properties.ts";
export { type ConfirmedMessage, openPublisher, type Publisher } from "./publisher.ts";
export { republishHeaders } from "./republished.ts";
export { isReplyAddress, replyQueueName } from "./reply-address.ts";
export { RpcClient, type RpcClientOptions, type RpcRequest } from "./rpc-client.ts";
export { type Surroundings, systemSurroundings } from "./surroundings.ts";
export { declareTopology, joinTopologies, type Topology } from "./topology.ts";
