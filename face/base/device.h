#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"

// Where networks run.
namespace facegate {

// An NVIDIA card.
struct CudaCard {
  std::string name;    // such as "NVIDIA H100 80GB HBM3"
  int capability = 0;  // compute capability times ten: 90 is 9.0
};

// What there is of CUDA on this machine.
struct CudaMachine {
  bool sought = true;             // false in a build for CPUs, which cannot look
  std::string missing{};          // says why no card can be used; empty where there are some
  std::vector<CudaCard> cards{};  // by their numbers
};

// Our CUDA code is compiled for cards from this compute capability on.
inline constexpr int kLeastCapability = 80;

// A device to compute on.
struct Device {
  int card = -1;  // the number of the card; -1: the CPU
  std::string card_name{};
  // Says why "auto" is the CPU where a card was sought; empty otherwise.
  std::string note{};

  bool is_cuda() const { return card >= 0; }
  std::string name() const;   // "cpu" or "cuda:N"
  std::string words() const;  // the same, with the card's name: "cuda:0 (NVIDIA H200)"
};

// "auto" is the first card that can be used, or else the CPU; "cpu"; "cuda:N"; "cuda" is "cuda:0".
// kInvalidArgument for another name, kFailedPrecondition for a card that is not there or cannot be
// used, with what is missing.
StatusOr<Device> ChooseDevice(std::string_view name, const CudaMachine& machine);

// OK for a name that ChooseDevice() knows, whatever this machine has.
Status CheckDeviceName(std::string_view name);

}  // namespace facegate
