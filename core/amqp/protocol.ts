/** The numbers of AMQP 0-9-1 that our own codec needs. */
export const frameType = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;

/** The byte that ends each frame. */
export const FRAME_END = 206;

/** Type, channel and size before a frame's payload. */
export const FRAME_HEADER_BYTES = 7;

/** What a frame has beside its payload: its header and its end. */
export const FRAME_OVERHEAD_BYTES = 8;

/** Class and method of a method frame as one number, the class in the upper half. */
export const method = {
  channelClose: 0x0014_0028,
  basicCancel: 0x003c_001e,
  basicPublish: 0x003c_0028,
  basicDeliver: 0x003c_003c,
  basicAck: 0x003c_0050,
  basicReject: 0x003c_005a,
  basicNack: 0x003c_0078,
} as const;

/** The class of content headers: basic. */
export const BASIC_CLASS = 60;

/** Which properties a content header carries, in the order in which they stand. */
export const propertyFlag = {
  contentType: 0x8000,
  contentEncoding: 0x4000,
  headers: 0x2000,
  deliveryMode: 0x1000,
  priority: 0x0800,
  correlationId: 0x0400,
  replyTo: 0x0200,
  expiration: 0x0100,
  messageId: 0x0080,
  timestamp: 0x0040,
  type: 0x0020,
  userId: 0x0010,
  appId: 0x0008,
} as const;

/** Half of a 64-bit number. */
export const UINT32_RANGE = 4_294_967_296;
