#pragma once

#include "face/base/status.h"
#include "trainer/quality/quality_run.h"
#include "trainer/quality/quality_samples.h"
#include "trainer/run/network_run.h"
#include "trainer/run/session.h"

namespace facegate {

// The samples of a quality run: those that its work folder keeps, where they come from the same
// crops, models and options, else made now and kept there.
StatusOr<QualitySamples> QualitySamplesFor(const QualityRunOptions& options, const WorkFolder& work,
                                           Session& session);

}  // namespace facegate
