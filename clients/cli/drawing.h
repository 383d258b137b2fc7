#pragma once

#include <optional>
#include <span>
#include <string>

#include "clients/cli/canvas.h"
#include "clients/cpp/client_result.h"
#include "facegate/v1/face_service.pb.h"

namespace facegate::cli {

// Says why a picture that shows `photos` is not to be written to `path`: it would take the place of
// one of them, or its name does not end in a format that can be written.
std::optional<ClientError> WrongWithPicture(const std::string& path,
                                            std::span<const std::string> photos);
// Writes a BGR picture in the format that the file's name ends in, for its owner alone: it shows
// people. Fails when it cannot be written whole.
ClientResult<bool> WritePicture(const PixelView& picture, const std::string& path);

// Decodes a photo as the server does, so that both see one picture. Fails, saying why, where that
// cannot be done on this machine.
ClientResult<Pixels> DecodePhoto(const std::string& photo_bytes);

// Draws the faces of `detected` (boxes, landmarks, scores) onto the photo that they were found in
// and writes it to `output` by WritePicture(). Fails when the photo does not decode to the size
// that the server saw. Returns the number of faces.
ClientResult<int> DrawFaces(const std::string& photo_bytes, const v1::DetectResponse& detected,
                            const std::string& output);

// The box of a face in its photo made `scale` times as large. Coordinates are the server's word:
// what lies so far outside that it would overflow the drawing is moved to -`limit` pixels.
Box BoxOf(const v1::Face& face, double scale, int limit);

}  // namespace facegate::cli
