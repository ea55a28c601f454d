"""The only place that speaks to ComfyUI's internals: images, paths, models, patches, sampling."""
