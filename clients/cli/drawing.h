#pragma once

#include <string>

#include "clients/cpp/client_result.h"
#include "facegate/v1/face_service.pb.h"

namespace facegate {

// Draws the faces of `detected` (boxes, landmarks, scores) onto the photo that they were found in
// and writes it to `output`, in the format that its name ends in. Fails when the photo does not
// decode to the size that the server saw. Returns the number of faces.
ClientResult<int> DrawFaces(const std::string& photo_bytes, const v1::DetectResponse& detected,
                            const std::string& output);

}  // namespace facegate
