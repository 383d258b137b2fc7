#pragma once

#include "facegate/v1/types.pb.h"
#include "server/operations/comparability.h"

// These put what is known of faces into messages.
namespace facegate {

// Fills in `face`, which must not be empty().
void FillFace(const FaceReport& face, v1::Face* out);

}  // namespace facegate
