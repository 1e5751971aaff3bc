/** Knows what a run is played from: the work item, which delivery it is, and the switch that ends it. */
import type { WorkItem } from '#libs/contracts/work-item.ts'
import type { StopSwitch } from './stop-switch.ts'

export type Work = {
  readonly item: WorkItem
  readonly attempt: number
  readonly trace: string | undefined
  readonly stillWorking: () => Promise<void>
  readonly stop: StopSwitch
}
