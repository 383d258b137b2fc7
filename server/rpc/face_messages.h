#pragma once

#include "facegate/v1/types.pb.h"
#include "server/operations/comparability.h"

// What is known of faces, as messages.
namespace facegate {

// Of one that has anything to tell.
void FillFace(const FaceReport& face, v1::Face* out);

}  // namespace facegate
