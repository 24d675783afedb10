"""Images to classify, wherever they lie: files, zips, tables and buckets."""
