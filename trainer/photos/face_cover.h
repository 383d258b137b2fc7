#pragma once

#include <opencv2/core/mat.hpp>

#include "face/base/random.h"
#include "face/image/image.h"

// Things before a face, drawn into a photo (8-bit BGR) by the five landmarks of the face, at any
// turn of it. Shape, colour, light and texture are random, so that what learns from such photos
// does not learn one drawing.
namespace facegate {

enum class FaceSide { kLeft, kRight, kUpper, kLower };  // as in Landmarks: of the upright picture

// Something flat, striped, spotted or grainy over the `share` (0..1) of the face from that side on:
// 0.5 reaches to the middle of the face, for the upper and the lower side between eyes and nose
// tip.
void HidePartOfFace(const Landmarks& landmarks, FaceSide side, double share, RandomStream& random,
                    cv::Mat& photo);

// Both eyes behind dark glass, with a bridge and temples.
void DrawDarkGlasses(const Landmarks& landmarks, RandomStream& random, cv::Mat& photo);

// The mask reaches from the bridge of the nose to below the chin.
void DrawMask(const Landmarks& landmarks, RandomStream& random, cv::Mat& photo);

}  // namespace facegate
