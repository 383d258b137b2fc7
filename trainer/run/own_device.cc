#include "trainer/run/own_device.h"

#include <fmt/format.h>

#include "face/torch/find_cuda.h"
#include "trainer/parallel/nccl_group.h"

namespace facegate {

StatusOr<Device> DeviceOfProcess(const Recipe::Machine& keys, int rank, const CudaMachine& machine,
                                 bool have_cards) {
  if (keys.processes == 1) return ChooseDevice(keys.device, machine);
  if (!have_cards) return ChooseDevice("cpu", machine);
  if (keys.device == "cpu") {
    return FailedPrecondition(
        fmt::format("machine.processes is {} and machine.device cpu, but several processes of this "
                    "build, which has NCCL, need a card each: take machine.processes 1, or "
                    "machine.device auto",
                    keys.processes));
  }
  FACEGATE_ASSIGN_OR_RETURN(const Device first,
                            ChooseDevice(keys.device == "auto" ? "cuda:0" : keys.device, machine));
  const auto cards = static_cast<int64_t>(machine.cards.size());
  if (!first.is_cuda() || first.card + keys.processes > cards) {
    return FailedPrecondition(
        fmt::format("machine.processes is {}, and each has a card of its own from {} on: this "
                    "machine has {}",
                    keys.processes, first.is_cuda() ? first.name() : "cuda:0", cards));
  }
  return ChooseDevice(fmt::format("cuda:{}", first.card + rank), machine);
}

StatusOr<Device> DeviceOfProcess(const Recipe::Machine& keys, int rank) {
  return DeviceOfProcess(keys, rank, FindCuda(), HasNccl());
}

}  // namespace facegate
