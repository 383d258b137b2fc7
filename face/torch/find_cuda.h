#pragma once

#include <string>

#include "face/base/device.h"

namespace facegate {

// Looks at the machine; in a build for CPUs it says just that. It keeps no memory of a card.
CudaMachine FindCuda();

// What CUDA's runtime tells of a machine. Versions are 13000 for 13.0.
struct CudaAnswers {
  int driver = 0;   // the newest CUDA that the driver serves; 0: there is no driver
  int runtime = 0;  // that this build needs
  int error = 0;    // of counting the cards (cudaError_t), and its text
  std::string error_text{};
  int cards = 0;
};

// Why no card can be used, in words; empty where there are cards.
std::string CudaFault(const CudaAnswers& answers);

}  // namespace facegate
