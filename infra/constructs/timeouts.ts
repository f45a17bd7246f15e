import { Duration } from 'aws-cdk-lib'

/**
 * Each wait is longer than what it waits for. Where ECS replaces a task, the load balancer first stops sending to it (deregistration),
 * then the server gets SIGTERM and drains, then the container is killed; where AWS takes Spot capacity back, all begin at once:
 *
 * request < deregistration: the longest inference is answered before the load balancer closes its connection;
 * deregistration < drain: the server is still there for every connection that the load balancer has not yet let go;
 * drain < stop: the server ends by itself, after its last line of metrics, and is not killed;
 * stop <= 120 s: the notice of Spot, and the most that Fargate grants.
 */
export const timeouts = {
  request: Duration.seconds(10),
  deregistration: Duration.seconds(15),
  drain: Duration.seconds(25),
  stop: Duration.seconds(60),
  /** Of the load balancer's connections: shorter than the server's keep-alive of 72 s, so that it is never the server that closes first. */
  idle: Duration.seconds(60),
  /** Longest that an HTTP API waits for an answer. */
  gateway: Duration.seconds(29),
}
